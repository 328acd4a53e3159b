"""Recloop's functional core: values in, values out.

events -> checked -> dataset -> model -> scorecard -> release -> recommendations -> feedback -> events
"""

__version__ = "0.1.0"
