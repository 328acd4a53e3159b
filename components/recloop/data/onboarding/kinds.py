"""The file's words for what happened -> kinds of event."""

from collections.abc import Iterable, Mapping

from recloop.data.onboarding.names import canonical

WORDS: Mapping[str, str] = {
    "purchase": "purchase purchased buy bought transaction transactions order ordered order_completed conversion sale sold paid "
    "checkout_completed kauf compra achat",
    "cart": "cart addtocart add_to_cart basket add_to_basket product_added favourite favorite fav wishlist add_to_wishlist",
    "click": "click clicked select_item product_clicked tap",
    "view": "view viewed pv pageview detail details product_viewed view_item visit play played listen listened watch watched "
    "stream read impression",
    "rating": "rating rate rated review reviewed",
    "skip": "remove_from_cart removefromcart removed refund refunded return returned cancel cancelled search login logout "
    "page_view scroll session_start first_visit view_item_list begin_checkout checkout_started",
}
KINDS = {word: kind for kind, words in WORDS.items() for word in words.split()}


def guess_kinds(words: Iterable[str]) -> dict[str, str]:
    """Words of an event column (lower case) -> kinds; words that are not known are left out."""
    return {word: KINDS[canonical(word)] for word in words if canonical(word) in KINDS}
