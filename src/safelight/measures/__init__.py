"""Audit statistics that can be believed: sampling, intervals, agreement, survival, control charts, comparison."""
