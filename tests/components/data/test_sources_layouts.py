"""Rows as each system exports them -> canonical events and items."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from recloop.config import DataConfig
from recloop.data.sources.collect import collect
from recloop.data.sources.layouts.known import recognised
from recloop.errors import BadData

ITEM = {
    "item_id": "sku1",
    "item_name": "Mug",
    "item_brand": "Acme",
    "item_category": "Home",
    "item_category2": "(not set)",
}
GA4 = [
    {"event_name": "page_view", "event_timestamp": "1700000000000000", "user_pseudo_id": "p", "items": []},
    {
        "event_name": "view_item",
        "event_timestamp": "1700000001000000",
        "user_pseudo_id": "p",
        "items": [ITEM | {"price": 5.0, "quantity": None}],
        "ecommerce": {"transaction_id": "(not set)"},
        "device": {"category": "mobile"},
    },
    {
        "event_name": "purchase",
        "event_timestamp": "1700000002000000",
        "user_id": "u7",
        "user_pseudo_id": "p",
        "items": [ITEM | {"price": 4.5, "quantity": "2"}, {"item_id": "(not set)", "item_name": "Pin", "price": 1.0}],
        "ecommerce": {"transaction_id": "T1"},
        "device": {"category": "mobile"},
    },
]
TRACK = {"type": "track", "messageId": "m1", "anonymousId": "anon", "userId": None, "timestamp": "2024-01-01T10:00:00Z"}
SEGMENT = [
    TRACK | {"event": "Product Viewed", "properties": {"product_id": "a", "name": "Mug", "price": 5}},
    TRACK
    | {
        "event": "Order Completed",
        "messageId": "m2",
        "userId": "u",
        "properties": {"order_id": "o", "products": [{"product_id": "a", "price": 5, "quantity": 2}, {"sku": "b"}]},
    },
    TRACK | {"event": "Signed Up", "messageId": "m3", "properties": {"plan": "free"}},
    {"type": "identify", "messageId": "m4", "userId": "u", "event": None, "properties": {"product_id": "x"}},
]
SHOPIFY = """Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,\
Lineitem discount,Vendor,Cancelled at
#1001,ann@example.com,paid,2023-01-05 10:11:12 -0500,2,Mug,5.00,M1,1.00,Acme,
#1001,ann@example.com,,2023-01-05 10:11:12 -0500,1,Pin,1.00,,0.00,Acme,
#1002,bob@example.com,voided,2023-01-06 09:00:00 -0500,1,Mug,5.00,M1,0.00,Acme,2023-01-06 10:00:00 -0500
"""
WOO = """order_id,order_number,date,status,customer_id,billing_email,line_items
7,7,2023-01-05 10:11:12,completed,0,ann@example.com,name:Mug|product_id:12|sku:M1|quantity:2|total:10.00;\
name:Pin|product_id:13|sku:|quantity:1|total:1.00
8,8,2023-01-06 10:11:12,cancelled,5,bob@example.com,name:Mug|product_id:12|sku:M1|quantity:1|total:5.00
"""
ADVANCED = """Order Number,Order Status,Order Date,Email (Billing),SKU,Item #,Item Name,Quantity (- Refund),Item Cost
7,Completed,2023-01-05 10:11,ann@example.com,M1,1,Mug,2,5.00
8,Refunded,2023-01-06 10:11,bob@example.com,M1,1,Mug,1,5.00
"""
SHOWN = ("user_id", "item_id", "event", "price", "quantity", "basket_id")


def collected(path, content, layout):
    path.write_text(content if isinstance(content, str) else "\n".join(map(json.dumps, content)))
    return collect(DataConfig(events=str(path), layout=layout))


def shown(path, content, layout):
    return collected(path, content, layout)[0].select(SHOWN).rows()


def test_events_of_google_analytics_are_one_row_an_item(tmp_path):
    assert shown(tmp_path / "events.json", GA4, "ga4") == [
        ("p", "sku1", "view", 5.0, 1.0, None),
        ("u7", "sku1", "purchase", 4.5, 2.0, "T1"),
        ("u7", "Pin", "purchase", 1.0, 1.0, "T1"),
    ]


def test_microseconds_of_google_analytics_are_utc(tmp_path):
    events, _ = collected(tmp_path / "events.json", GA4, "ga4")
    assert events["time"][0] == datetime(2023, 11, 14, 22, 13, 21, tzinfo=UTC)


def test_items_of_google_analytics_are_described_by_its_events(tmp_path):
    _, items = collected(tmp_path / "events.json", GA4, "ga4")
    assert items.select("item_id", "title", "category", "brand").row(1) == ("sku1", "Mug", "Home", "Acme")


def test_the_lists_of_a_parquet_export_are_read_alike(tmp_path):
    frame = pl.DataFrame([GA4[1]])
    boxed = pl.struct(pl.col("items").list.eval(pl.struct(pl.element().alias("element"))).alias("list")).alias("items")
    frame.with_columns(boxed).write_parquet(tmp_path / "events.parquet")
    events, _ = collect(DataConfig(events=str(tmp_path / "events.parquet"), layout="ga4"))
    assert events.select(SHOWN).rows() == [("p", "sku1", "view", 5.0, 1.0, None)]


def test_an_export_without_items_says_so(tmp_path):
    with pytest.raises(BadData, match="no repeated column `items`"):
        collected(tmp_path / "e.json", [{"event_name": "purchase", "event_timestamp": 1, "user_pseudo_id": "p"}], "ga4")


def test_tracks_of_one_product_and_of_many_are_rows(tmp_path):
    assert shown(tmp_path / "t.jsonl", SEGMENT, "segment") == [
        ("anon", "a", "view", 5.0, 1.0, None),
        ("u", "a", "purchase", 5.0, 2.0, "o"),
        ("u", "b", "purchase", None, 1.0, "o"),
    ]


def test_a_message_with_two_products_has_two_event_ids(tmp_path):
    events, _ = collected(tmp_path / "t.jsonl", SEGMENT, "segment")
    assert events["event_id"].to_list() == ["m1-a", "m2-a", "m2-b"]


def test_lines_of_shopify_take_the_discount_off_and_leave_out_cancelled_orders(tmp_path):
    assert shown(tmp_path / "orders.csv", SHOPIFY, "shopify") == [
        ("ann@example.com", "M1", "purchase", 4.5, 2.0, "#1001"),
        ("ann@example.com", "Pin", "purchase", 1.0, 1.0, "#1001"),
    ]


def test_the_offset_of_shopify_is_honoured(tmp_path):
    events, _ = collected(tmp_path / "orders.csv", SHOPIFY, "shopify")
    assert events["time"][0] == datetime(2023, 1, 5, 15, 11, 12, tzinfo=UTC)


def test_line_items_of_woocommerce_are_unpacked_and_guests_go_by_their_address(tmp_path):
    assert shown(tmp_path / "orders.csv", WOO, "woocommerce") == [
        ("ann@example.com", "M1", "purchase", 5.0, 2.0, "7"),
        ("ann@example.com", "13", "purchase", 1.0, 1.0, "7"),
    ]


def test_a_row_a_product_of_woocommerce_is_read_too(tmp_path):
    assert shown(tmp_path / "orders.csv", ADVANCED, "woocommerce") == [
        ("ann@example.com", "M1", "purchase", 5.0, 2.0, "7")
    ]


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (("event_name", "event_timestamp", "user_pseudo_id", "items"), "ga4"),
        (("Name", "Email", "Created at", "Lineitem name", "Lineitem quantity"), "shopify"),
        (("order_id", "status", "line_items"), "woocommerce"),
        (("messageId", "event", "properties"), "segment"),
    ],
)
def test_an_export_is_known_by_its_columns(columns, name):
    found = recognised(pl.Schema(dict.fromkeys(columns, pl.String)))
    assert found is not None
    assert found.name == name


def test_a_plain_table_is_no_export():
    assert recognised(pl.Schema({"user_id": pl.String, "item_id": pl.String, "time": pl.String})) is None
