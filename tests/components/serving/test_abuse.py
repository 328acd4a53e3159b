import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.config.edge import AbuseConfig
from recloop.serving.abuse import Abuse
from recloop.serving.trending import Trend

SMALL = AbuseConfig(
    events_per_minute=5, events_per_day=8, same_item_per_day=3, repeats_per_day=2, users_per_address=2, watched=9
)
NOON = 1_800_014_400.0 - 1_800_014_400.0 % 86_400 + 43_200


def flags(*events, address=None, config=SMALL):
    """(seconds after noon, user, item) -> flags."""
    abuse = Abuse(config)
    return [
        abuse.flag(
            {"user_id": user, "item_id": item, "event": "view", "time": NOON + at}, address=address, now=NOON + at
        )
        for at, user, item in events
    ]


def test_an_item_twice_in_a_minute_is_a_repeat_and_in_the_next_minute_not():
    assert flags((0, "u", "a"), (59, "u", "a"), (60, "u", "a")) == [None, "repeat", None]


def test_another_kind_of_event_is_no_repeat():
    abuse = Abuse(SMALL)
    record = {"user_id": "u", "item_id": "a", "time": NOON}
    assert [abuse.flag(record | {"event": kind}, address=None, now=NOON) for kind in ("view", "cart")] == [None, None]


def test_users_do_not_repeat_each_other():
    assert flags((0, "u", "a"), (0, "v", "a")) == [None, None]


def test_an_item_again_and_again_over_the_day_is_a_repeat():
    assert flags(*((60 * n, "u", "a") for n in range(5))) == [None, None, None, "repeat", "repeat"]


def test_who_repeats_himself_too_often_is_a_bot_in_all_that_he_does_for_a_day():
    events = [(60 * n, "u", "a") for n in range(6)] + [(600, "u", "other"), (86_400 + 300, "u", "other")]
    assert flags(*events)[3:] == ["repeat", "repeat", "bot", "bot", None]


def test_too_many_events_in_a_minute_are_a_bots():
    assert flags(*((n, "u", str(n)) for n in range(6)))[-2:] == [None, "bot"]


def test_too_many_events_in_a_day_are_a_bots():
    assert flags(*((60 * n, "u", str(n)) for n in range(9)))[-2:] == [None, "bot"]


def test_a_page_that_calls_itself_a_new_user_each_time_is_seen_by_its_address():
    events = [(0, f"u{n}", "a") for n in range(4)]
    assert flags(*events) == [None] * 4
    assert flags(*events, address="1.2.3.4") == [None, None, "repeat", "repeat"]


def test_a_page_does_not_tell_the_time():
    abuse = Abuse(SMALL)
    for told in (1.0, 1e6):
        record = {"user_id": "u", "item_id": "a", "event": "view", "time": told}
        found = abuse.flag(record, address="1.2.3.4", now=NOON)
    assert found == "repeat"


def test_the_largest_basket_of_a_shop_is_no_bots():
    assert set(flags(*((0, "u", str(n)) for n in range(161)), config=AbuseConfig())) == {None}


@given(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=60))
def test_the_memory_is_bounded(users):
    abuse = Abuse(SMALL)
    for user in users:
        abuse.flag({"user_id": user, "item_id": "a", "event": "view", "time": NOON}, address=None, now=NOON)
    assert len(abuse.watched) <= SMALL.watched


@pytest.mark.parametrize(("flagging", "counted"), [(True, 18), (False, 360)])
def test_six_bots_push_an_item_up_a_little_and_not_a_lot(flagging, counted):
    """Six users take one item once a minute for an hour: three count of each; without flags all do."""
    abuse = Abuse(SMALL)
    found = [
        abuse.flag(
            {"user_id": f"bot{n}", "item_id": "a", "event": "purchase", "time": NOON + 60 * m}, address=None, now=0
        )
        for m in range(60)
        for n in range(6)
    ]
    assert sum(flag is None or not flagging for flag in found) == counted


def test_a_flagged_event_sets_no_trend():
    trend = Trend()
    for record in ({"item_id": "a", "time": NOON, "flag": "bot"}, {"item_id": "b", "time": NOON}):
        trend.add(record)
    assert list(trend.counts) == ["b"]
