"""The page "My work": what waits for the signed-in person, from every app of the case work. No models."""
