import polars as pl
import pytest

from frames import conform
from recloop.data.reading import Form
from recloop.errors import BadData

RAW = pl.DataFrame(
    {
        "user_id": ["ann", "bob", "cid"],
        "item_id": ["i", "j", "k"],
        "time": ["2024-01-01T10:42:00"] * 3,
        "price": ["1.0", "2.0", "not a number"],
        "basket_id": ["b1", "b2", "b3"],
        "agreed_to_it": ["TRUE", "no", None],
    }
)


def read(consent):
    return conform(RAW.lazy(), {}, event="view", form=Form(), until=None, name="log", consent=consent)


def test_of_rows_without_consent_only_kind_and_hour_are_kept():
    rows = read("agreed_to_it").select("user_id", "item_id", "price", "basket_id", "reason", "detail").rows()
    nothing = (None, None, None, None, "no_consent", None)
    assert rows == [("ann", "i", 1.0, "b1", None, None), nothing, nothing]
    assert read("agreed_to_it")["time"].dt.minute().to_list() == [42, 0, 0]
    assert read("agreed_to_it")["event"].to_list() == ["view"] * 3


def test_without_a_flag_every_row_is_read():
    assert read(None)["user_id"].null_count() == 0


def test_a_flag_that_the_file_lacks_is_named():
    with pytest.raises(BadData, match=r"lacks the column 'agreed' of data\.consent"):
        read("agreed")
