import polars as pl
import pytest

from recloop.quality.watch.surges import strangers, surging


def rows(*visits):
    """(day, user, item, shop) -> rows of the window."""
    return pl.LazyFrame(visits, schema=["day", "u", "i", "store_id"], orient="row")


def by_day(found):
    return dict(found.collect().sort("day").rows())


def test_an_item_surges_above_its_share_of_four_weeks():
    usual = [(day, 1, item, "a") for day in range(4) for item in range(4)]
    found = by_day(surging(rows(*usual, *[(4, 1, item, "a") for item in (0, 0, 0, 1)])))
    assert found[4] == pytest.approx(0.75 - 0.25)


def test_an_item_never_seen_surges_by_its_whole_share():
    usual = [(day, 1, item, "a") for day in range(4) for item in range(4)]
    assert by_day(surging(rows(*usual, (4, 1, 9, "a"), (4, 1, 0, "a"))))[4] == pytest.approx(0.5)


def test_what_sold_more_than_four_weeks_ago_is_no_reference():
    assert by_day(surging(rows((0, 1, 7, "a"), (10, 1, 8, "a"), (29, 1, 7, "a"))))[29] == pytest.approx(1.0)


def test_known_users_in_shops_where_they_never_were_are_strangers():
    visits = [(0, 1, 0, "a"), (0, 2, 0, "b"), (1, 1, 0, "a"), (1, 2, 0, "a")]
    assert by_day(strangers(rows(*visits))) == {1: pytest.approx(0.5)}


def test_a_new_user_is_no_stranger():
    assert by_day(strangers(rows((0, 1, 0, "a"), (1, 1, 0, "a"), (1, 9, 0, "b")))) == {1: 0.0}


def test_a_user_in_the_usual_shop_and_in_another_is_no_stranger():
    assert by_day(strangers(rows((0, 1, 0, "a"), (1, 1, 0, "a"), (1, 1, 0, "b")))) == {1: 0.0}


def test_a_shop_of_more_than_four_weeks_ago_is_forgotten():
    assert by_day(strangers(rows((0, 1, 0, "a"), (20, 1, 0, "b"), (29, 1, 0, "a"))))[29] == 1.0
