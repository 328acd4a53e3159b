"""Segment: `track` calls as JSON lines, by the e-commerce specification (segment.com/docs/connections/spec/ecommerce/v2)."""

import polars as pl

from recloop.columns import Columns
from recloop.data.sources.layouts.layout import Layout
from recloop.data.sources.layouts.nested import field, flat, listed

ITEM = "taken"
COMMON = (Columns.User, Columns.Time, Columns.Event, Columns.Basket, "message")


def rows(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Tracks of one product, and those of a list of products -> one row a product."""
    schema = raw.collect_schema()
    common = [
        field(schema, "userId", "anonymousId").alias(Columns.User),
        field(schema, "originalTimestamp", "timestamp", "sentAt").alias(Columns.Time),
        field(schema, "event").alias(Columns.Event),
        field(schema, "properties.order_id", "properties.checkout_id", "properties.cart_id").alias(Columns.Basket),
        field(schema, "messageId").alias("message"),
    ]
    tracks = raw.filter(field(schema, "type").fill_null("track") == "track")
    parts = []
    product = field(schema, "properties.product_id", "properties.sku")
    parts.append(tracks.filter(product.is_not_null()).select(*common, *_product(schema, "properties.")))
    many = listed(schema, "properties.products")
    if many is not None:
        listing = tracks.filter(product.is_null()).select(*common, many.alias(ITEM)).filter(pl.col(ITEM).list.len() > 0)
        exploded = flat(listing.explode(ITEM), ITEM)
        held = pl.Schema({n.removeprefix(f"{ITEM}."): kind for n, kind in exploded.collect_schema().items()})
        parts.append(exploded.rename(lambda n: n.removeprefix(f"{ITEM}.")).select(*COMMON, *_product(held, "")))
    return _identified(pl.concat(parts))


def _product(schema: pl.Schema, at: str) -> list[pl.Expr]:
    names = {
        Columns.Item: (f"{at}product_id", f"{at}sku"),
        Columns.Price: (f"{at}price",),
        Columns.Quantity: (f"{at}quantity",),
        Columns.Title: (f"{at}name",),
        Columns.Category: (f"{at}category",),
        Columns.Brand: (f"{at}brand",),
    }
    return [field(schema, *found).alias(name) for name, found in names.items()]


def _identified(rows: pl.LazyFrame) -> pl.LazyFrame:
    """A message with several products gives each an id of its own: the message's and the product's."""
    return rows.with_columns(pl.format("{}-{}", "message", Columns.Item).alias(Columns.EventId)).drop("message")


SEGMENT = Layout(
    "segment",
    "Segment, track calls",
    (frozenset({"messageId", "event", "properties"}), frozenset({"anonymousId", "event", "properties"})),
    rows,
    {
        "product viewed": "view",
        "product clicked": "click",
        "product added": "cart",
        "product added to wishlist": "cart",
        "order completed": "purchase",
        "product list viewed": "skip",
        "product removed": "skip",
        "cart viewed": "skip",
        "checkout started": "skip",
        "order updated": "skip",
        "order refunded": "skip",
        "order cancelled": "skip",
    },
    "calls that name no product are not read; the user is userId, else anonymousId",
)
