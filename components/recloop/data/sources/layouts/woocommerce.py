"""WooCommerce: CSV of orders in the two usual forms.

A row an order with all its products in `line_items` (the extension Order/Customer CSV Export: `name:Mug|sku:M1|quantity:2|
total:12.00;name:...`), or a row a product (the plug-in Advanced Order Export: `Order Number`, `SKU`, `Item Name`, ...).
"""

import polars as pl

from recloop.columns import Columns
from recloop.data.reading import text
from recloop.data.sources.layouts.layout import Layout

DONE = ("completed", "processing", "wc-completed", "wc-processing", "on-hold", "wc-on-hold")
"""status of an order that was placed and not taken back"""
PACKED = frozenset({"line_items", "status"})
ROWS = frozenset({"Order Number", "Order Date", "Item Name"})
COLUMNS = {
    Columns.User: ("customer_id", "billing_email", "customer_email", "Customer User ID", "Email (Billing)"),
    Columns.Time: ("date_created", "order_date", "date", "Order Date"),
    Columns.Basket: ("order_number", "order_id", "Order Number"),
    "status": ("status", "order_status", "Order Status"),
}
GUEST = "0"


def rows(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Orders -> one row a product. Orders that failed or were cancelled or refunded are of the kind `taken back`."""
    schema = raw.collect_schema()
    order = [_first(COLUMNS[c], schema).alias(c) for c in (Columns.Time, Columns.Basket, "status")]
    shared = [_customer(schema).alias(Columns.User), *order]
    lines = _packed(raw, shared, schema) if "line_items" in schema else _one_a_row(raw, shared, schema)
    placed = pl.col("status").str.to_lowercase().is_in(DONE).fill_null(True)
    kind = pl.when(placed).then(pl.lit("purchase")).otherwise(pl.lit("taken back"))
    return lines.with_columns(kind.alias(Columns.Event)).drop("status")


def _customer(schema: pl.Schema) -> pl.Expr:
    """The account, where there is one; guests go by their address."""
    held = [text(c, schema).replace(GUEST, None) for c in COLUMNS[Columns.User] if c in schema]
    return pl.coalesce(held) if held else pl.lit(None, pl.String)


def _first(names: tuple[str, ...], schema: pl.Schema) -> pl.Expr:
    held = [text(c, schema) for c in names if c in schema]
    return pl.coalesce(held) if held else pl.lit(None, pl.String)


def _packed(raw: pl.LazyFrame, shared: list[pl.Expr], schema: pl.Schema) -> pl.LazyFrame:
    """`line_items`: products parted by ';', their fields by '|', name and value by ':'."""
    lines = raw.select(*shared, text("line_items", schema).str.split(";").alias("line")).explode("line")
    line = pl.col("line")
    units, total = (_packed_field(line, name).cast(pl.Float64, strict=False) for name in ("quantity", "total"))
    return lines.filter(line.str.strip_chars() != "").select(
        Columns.User,
        Columns.Time,
        Columns.Basket,
        "status",
        pl.coalesce(_packed_field(line, n) for n in ("sku", "product_id", "name")).alias(Columns.Item),
        (total / units).alias(Columns.Price),
        units.alias(Columns.Quantity),
        _packed_field(line, "name").alias(Columns.Title),
    )


def _packed_field(line: pl.Expr, name: str) -> pl.Expr:
    value = line.str.extract(rf"(?:^|\|)\s*{name}:([^|]*)").str.strip_chars()
    return pl.when(value != "").then(value)


def _one_a_row(raw: pl.LazyFrame, shared: list[pl.Expr], schema: pl.Schema) -> pl.LazyFrame:
    return raw.select(
        *shared,
        _first(("SKU", "Product Id", "Item Name"), schema).alias(Columns.Item),
        _first(("Item Cost", "Item Price"), schema).alias(Columns.Price),
        _first(("Quantity (- Refund)", "Quantity"), schema).alias(Columns.Quantity),
        _first(("Item Name",), schema).alias(Columns.Title),
        _first(("Category",), schema).alias(Columns.Category),
    )


WOOCOMMERCE = Layout(
    "woocommerce",
    "WooCommerce, orders CSV",
    (PACKED, ROWS),
    rows,
    {"purchase": "purchase", "taken back": "skip"},
    "the customer is the account, else the e-mail address; the item is the SKU, else the product's id or name; orders that "
    "failed, were cancelled or refunded are left out",
)
