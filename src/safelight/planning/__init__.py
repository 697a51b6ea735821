"""What would fix it: a simulation of the pipeline from referral to outcome."""
