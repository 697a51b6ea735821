"""Oversight: one accountable officer, figures that say what they are, open questions, and the public report."""
