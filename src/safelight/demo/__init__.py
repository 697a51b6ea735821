"""The demonstration: a visibly synthetic force with real device images and benign pictures."""
