"""Names of columns as people give them -> canonical columns, best guess first."""

import re
from collections.abc import Iterable, Mapping

from recloop.columns import Columns

EVENT_NAMES: Mapping[str, str] = {
    Columns.Time: "time timestamp event_time event_timestamp datetime date_time created_at createdat ordered_at bought_at "
    "order_time order_date order_purchase_timestamp invoice_date purchase_date purchased_at transaction_date transaction_dt "
    "transaction_timestamp t_dat occurred_at ts date day unix_review_time review_time watched_at played_at listened_at "
    "updated_at bestellt_am bestelldatum datum zeit fecha date_commande",
    Columns.User: "user_id userid user customer_id customerid customer customer_unique_id client_id clientid client buyer_id "
    "shopper_id household_id household_key member_id account_id person_id visitor_id visitorid reviewer_id reader_id "
    "listener_id uid user_pseudo_id customer_email email kunde kundennummer kunden_id cliente anonymous_id session_id",
    Columns.Item: "item_id itemid item product_id productid product sku stock_code stockcode article_id article asin "
    "parent_asin movie_id film_id track_id song_id artist_id video_id news_id book_id isbn listing_id content_id goods_id "
    "product_code variant_id artikel artikelnummer producto articulo",
    Columns.Event: "event event_type event_name action action_type behavior behaviour behavior_type interaction type kind",
    Columns.EventId: "event_id line_id order_line_id order_item_id message_id row_id",
    Columns.Price: "price unit_price unitprice item_price price_per_unit preis einzelpreis precio prix",
    Columns.Quantity: "quantity qty units menge anzahl cantidad quantite",
    Columns.Rating: "rating stars score overall",
    Columns.Discount: "discount discount_share",
    Columns.Basket: "basket_id order_id orderid invoice_no invoice invoiceno transaction_id transactionid cart_id visit_id "
    "user_session session_id bestellnummer order_number",
    Columns.Store: "store_id store shop_id site device device_category channel country",
}
"""canonical column -> usual names, the surest first"""
ITEM_NAMES: Mapping[str, str] = {
    Columns.Item: EVENT_NAMES[Columns.Item] + " id code handle",
    Columns.Title: "title name product_name item_name movie_title track_name description product_title prod_name bezeichnung",
    Columns.Category: "category categories category_code category_path main_category product_category genres genre department "
    "class section product_group_name kategorie",
    Columns.Brand: "brand manufacturer vendor artist author publisher marke",
    Columns.Text: "text long_description detail_desc body abstract summary",
}
TOKENS: Mapping[str, frozenset[str]] = {
    Columns.User: frozenset({"user", "customer", "client", "buyer", "visitor", "member", "household", "kunde"}),
    Columns.Item: frozenset({"item", "product", "sku", "article", "movie", "artikel"}),
    Columns.Time: frozenset({"time", "date", "timestamp", "datum"}),
}
"""a name with such a word may be meant, if no usual name is there"""
NO_IDS = frozenset(
    [
        "name",
        "title",
        "price",
        "category",
        "brand",
        "quantity",
        "type",
        "count",
        "description",
        "discount",
        "url",
        "text",
        "email",
        "city",
        "state",
        "zip",
        "country",
        "age",
        "group",
        "status",
        "weight",
        "length",
        "height",
        "width",
        "photos",
        "value",
        "amount",
        "class",
    ]
)
"""words of columns that describe a user or an item and do not name one"""


def canonical(name: str) -> str:
    """CustomerID, Customer ID, customer-id -> customer_id."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name))
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def candidates(role: str, columns: Iterable[str], usual: Mapping[str, str] = EVENT_NAMES) -> list[str]:
    """Columns that may hold a role by their name, the likeliest first."""
    order = {name: rank for rank, name in enumerate(usual[role].split())}
    named = {column: canonical(column) for column in columns}
    found = sorted((c for c, name in named.items() if name in order), key=lambda c: order[named[c]])
    return found or [c for c, name in named.items() if _mentions(role, name)]


def _mentions(role: str, name: str) -> bool:
    words = set(name.split("_"))
    return bool(words & TOKENS.get(role, frozenset())) and (role == Columns.Time or not words & NO_IDS)
