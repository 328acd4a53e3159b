"""The only column names: every table of Recloop takes its names from here."""


class Columns:
    """Names in the canonical tables."""

    # events: one row an event
    EventId = "event_id"
    """text, unique; idempotency key"""
    User = "user_id"
    """text"""
    Item = "item_id"
    """text"""
    Event = "event"
    """one of `EVENTS`"""
    Time = "time"
    """datetime[us, UTC]"""
    Price = "price"
    """float64, paid for one unit, after discounts"""
    Quantity = "quantity"
    """float64, units"""
    Discount = "discount"
    """float64 in [0, 1], share of the shelf price taken off"""
    Rating = "rating"
    """float64, null where the event is no rating"""
    Basket = "basket_id"
    """text, the visit or order; null where unknown"""
    Store = "store_id"
    """text context: shop, site or device; null where unknown"""

    # items: one row an item
    Title = "title"
    Category = "category"
    """text path, widest first, joined by ' > '"""
    Brand = "brand"
    Text = "text"

    # integer codes given by a vocabulary (0 is padding)
    UserCode = "user"
    ItemCode = "item"

    # quarantine
    Reason = "reason"
    """the first rule of `REASONS` that the row breaks"""
    Detail = "detail"
    """the text that could not be read; null where the reason is another"""

    # recommendations and feedback
    Rank = "rank"
    """1 is the first shown"""
    Score = "score"
    Position = "position"
    Propensity = "propensity"
    Receipt = "receipt_id"
    Release = "release"


EVENTS = ("view", "click", "cart", "purchase", "rating")
"""Kinds of event that the canonical table accepts."""

REASONS = (
    "no_consent",
    "unreadable_time",
    "unreadable_number",
    "too_late",
    "missing_user",
    "missing_item",
    "missing_time",
    "unknown_event",
    "time_in_future",
    "time_too_early",
    "not_finite",
    "price_out_of_range",
    "quantity_not_positive",
    "quantity_too_large",
    "discount_out_of_range",
    "duplicate_row",
    "duplicate_event_id",
    "orphan_item",
)
"""Why a row goes to quarantine, in the order in which the rules are asked."""

EVENT_COLUMNS = (
    Columns.EventId,
    Columns.User,
    Columns.Item,
    Columns.Event,
    Columns.Time,
    Columns.Price,
    Columns.Quantity,
    Columns.Discount,
    Columns.Rating,
    Columns.Basket,
    Columns.Store,
)
"""Columns of the events table, in order."""

ITEM_COLUMNS = (Columns.Item, Columns.Title, Columns.Category, Columns.Brand, Columns.Text)
"""Columns of the items table, in order."""
