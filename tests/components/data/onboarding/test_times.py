from datetime import UTC, datetime

import polars as pl
import pytest

from recloop.data.onboarding.times import guess_time
from recloop.errors import BadData


@pytest.mark.parametrize(
    ("values", "form", "zoned"),
    [
        (["2024-01-02T03:04:05Z"], "", True),
        (["2024-01-02 03:04:05 UTC"], "", True),
        (["2024-01-02 03:04:05"], "", False),
        (["2024-01-02"], "", False),
        ([1704164645], "", True),
        (["1704164645000"], "", True),
        ([20240102, 20240231], "%Y%m%d", False),
        (["20240102030405"], "%Y%m%d%H%M%S", False),
        (["31/12/2010 8:26"], "%d/%m/%Y %H:%M", False),
        (["12/31/2010 8:26"], "%m/%d/%Y %H:%M", False),
        (["12/31/10"], "%m/%d/%y", False),
        (["31.12.2010"], "%d.%m.%Y", False),
        (["12/31/2010 08:26 PM"], "%m/%d/%Y %I:%M %p", False),
        (["Jan 31, 2024"], "%b %d, %Y", False),
        ([datetime(2024, 1, 2)], "", False),
        ([datetime(2024, 1, 2, tzinfo=UTC)], "", True),
    ],
)
def test_the_form_of_times_is_found(values, form, zoned):
    found = guess_time(pl.Series(values))
    assert found is not None
    assert (found.form, found.zoned) == (form, zoned)


@pytest.mark.parametrize("values", [["a", "b"], [1, 2, 3], [4.5, 3.0], [True], ["12:30"], [None], [99_999_999]])
def test_other_values_are_no_times(values):
    assert guess_time(pl.Series(values)) is None


def test_rows_in_order_of_time_tell_days_from_months():
    found = guess_time(pl.Series(["01/02/2024", "03/02/2024", "01/03/2024"]))
    assert found is not None
    assert found.form == "%d/%m/%Y"


def test_days_and_months_that_cannot_be_told_apart_are_asked_for():
    with pytest.raises(BadData, match="--time-format"):
        guess_time(pl.Series(["01/02/2024", "05/03/2024", "02/01/2024"]))
