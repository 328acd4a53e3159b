"""Honest comparison: protocol, metrics, intervals, scorecard and gate."""
