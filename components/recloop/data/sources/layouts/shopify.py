"""Shopify: the CSV of orders (help.shopify.com, "Exporting orders"): a line a product, the order's facts on its first line."""

import polars as pl

from recloop.columns import Columns
from recloop.data.reading import text
from recloop.data.sources.layouts.layout import Layout

ORDER = "Name"


def rows(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Lines that name a product, with the customer and the time of their order. Cancelled orders are no purchases."""
    schema = raw.collect_schema()
    lines = raw.select(
        _of_order("Email", schema).alias(Columns.User),
        pl.coalesce(_text("Lineitem sku", schema), _text("Lineitem name", schema)).alias(Columns.Item),
        _of_order("Created at", schema).alias(Columns.Time),
        _price(schema).alias(Columns.Price),
        _text("Lineitem quantity", schema).alias(Columns.Quantity),
        _text(ORDER, schema).alias(Columns.Basket),
        _text("Lineitem name", schema).alias(Columns.Title),
        _text("Vendor", schema).alias(Columns.Brand),
        pl.when(_of_order("Cancelled at", schema).is_null())
        .then(pl.lit("purchase"))
        .otherwise(pl.lit("cancelled"))
        .alias(Columns.Event),
    )
    return lines.filter(pl.col(Columns.Item).is_not_null())


def _text(column: str, schema: pl.Schema) -> pl.Expr:
    return text(column, schema) if column in schema else pl.lit(None, pl.String)


def _of_order(column: str, schema: pl.Schema) -> pl.Expr:
    return _text(column, schema).drop_nulls().first().over(ORDER) if column in schema else pl.lit(None, pl.String)


def _price(schema: pl.Schema) -> pl.Expr:
    """Paid for one unit: the line's discount is of all its units."""
    price, units, off = (
        _text(f"Lineitem {name}", schema).cast(pl.Float64, strict=False) for name in ("price", "quantity", "discount")
    )
    return pl.when(units > 0).then(price - off.fill_null(0.0) / units).otherwise(price)


SHOPIFY = Layout(
    "shopify",
    "Shopify, orders CSV",
    (frozenset({"Name", "Email", "Created at", "Lineitem name", "Lineitem quantity"}),),
    rows,
    {"purchase": "purchase", "cancelled": "skip"},
    "the customer is the e-mail address, the item the SKU, else the name; cancelled orders are left out; a discount on the "
    "whole order is not spread over its lines",
)
