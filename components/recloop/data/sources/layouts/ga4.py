"""Google Analytics 4, as its BigQuery export writes it (tables events_YYYYMMDD as JSON lines or Parquet).

Source: support.google.com/analytics/answer/7029846, "BigQuery Export schema". One row an event with a repeated `items`;
`event_timestamp` counts microseconds, UTC.
"""

import polars as pl

from recloop.columns import Columns
from recloop.data.sources.layouts.layout import Layout
from recloop.data.sources.layouts.nested import field, flat, listed
from recloop.errors import BadData

LEVELS = ("item_category", "item_category2", "item_category3", "item_category4", "item_category5")
ITEM = "taken"


def rows(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Events that name items -> one row an item. Raises BadData where the export has no `items`."""
    schema = raw.collect_schema()
    items = listed(schema, "items")
    if items is None:
        raise BadData(
            "The Google Analytics export has no repeated column `items`. Export the e-commerce events with it."
        )
    taken = raw.select(
        field(schema, "user_id", "user_pseudo_id").alias(Columns.User),
        field(schema, "event_timestamp").cast(pl.Int64).alias(Columns.Time),
        field(schema, "event_name").alias(Columns.Event),
        field(schema, "ecommerce.transaction_id").replace("(not set)", None).alias(Columns.Basket),
        field(schema, "device.category").alias(Columns.Store),
        items.alias(ITEM),
    ).filter(pl.col(ITEM).list.len() > 0)
    return _described(flat(taken.explode(ITEM), ITEM))


def _described(taken: pl.LazyFrame) -> pl.LazyFrame:
    held = taken.collect_schema()
    part = {name: field_of(held, name) for name in ("item_id", "item_name", "item_brand", "price", "quantity", *LEVELS)}
    return taken.select(
        Columns.User,
        pl.coalesce(part["item_id"], part["item_name"]).alias(Columns.Item),
        Columns.Time,
        Columns.Event,
        Columns.Basket,
        Columns.Store,
        part["price"].alias(Columns.Price),
        part["quantity"].alias(Columns.Quantity),
        part["item_name"].alias(Columns.Title),
        part["item_brand"].alias(Columns.Brand),
        pl.concat_str([part[level] for level in LEVELS], separator=" > ", ignore_nulls=True)
        .replace("", None)
        .alias(Columns.Category),
    )


def field_of(held: pl.Schema, name: str) -> pl.Expr:
    """Text of one field of the item; null where it is absent, empty or '(not set)'."""
    column = f"{ITEM}.{name}"
    value = pl.col(column).cast(pl.String) if column in held else pl.lit(None, pl.String)
    return value.replace({"": None, "(not set)": None})


GA4 = Layout(
    "ga4",
    "Google Analytics 4, BigQuery export",
    (frozenset({"event_name", "event_timestamp", "user_pseudo_id"}),),
    rows,
    {
        "view_item": "view",
        "select_item": "click",
        "add_to_cart": "cart",
        "purchase": "purchase",
        "view_item_list": "skip",
        "view_cart": "skip",
        "remove_from_cart": "skip",
        "begin_checkout": "skip",
        "add_shipping_info": "skip",
        "add_payment_info": "skip",
        "add_to_wishlist": "cart",
        "refund": "skip",
        "view_promotion": "skip",
        "select_promotion": "skip",
    },
    "events that name no item (page_view, scroll, ...) are not read; the user is user_id, else user_pseudo_id",
)
