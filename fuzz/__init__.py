"""Coverage-guided fuzzing of the parsers that are ours: `targets` says which, `corpus/` is where they begin."""
