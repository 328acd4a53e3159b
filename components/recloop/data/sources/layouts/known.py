"""The layouts by name, and the one that a table has."""

import polars as pl

from recloop.data.sources.layouts.ga4 import GA4
from recloop.data.sources.layouts.layout import Layout
from recloop.data.sources.layouts.segment import SEGMENT
from recloop.data.sources.layouts.shopify import SHOPIFY
from recloop.data.sources.layouts.woocommerce import WOOCOMMERCE

LAYOUTS = {layout.name: layout for layout in (GA4, SHOPIFY, WOOCOMMERCE, SEGMENT)}


def recognised(schema: pl.Schema) -> Layout | None:
    """Columns of a table -> the system that exported it; None for a plain table."""
    return next((layout for layout in LAYOUTS.values() if layout.fits(schema)), None)
