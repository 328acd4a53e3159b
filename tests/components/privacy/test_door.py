import json
from datetime import UTC, datetime

import polars as pl
import pytest

from recloop.config import PrivacyConfig
from recloop.data.events import READ_SCHEMA
from recloop.privacy.door import admit, forgotten
from recloop.privacy.pseudonyms import keys, pseudonym

NOW = datetime(2024, 6, 1, tzinfo=UTC)
KEYS = keys("a secret of the tests")
EVENTS = pl.concat(
    [
        READ_SCHEMA.to_frame(),
        pl.DataFrame(
            {
                "event_id": ["e1", "e2", "e3"],
                "user_id": ["ann", "bob", None],
                "item_id": ["i", "i", None],
                "event": ["view", "purchase", "purchase"],
                "time": [datetime(2024, 1, 1, 13, 47, tzinfo=UTC), datetime(2024, 5, 1, 9, 5, tzinfo=UTC), NOW],
                "price": [3.26, 1.10, None],
                "quantity": [2.0, 1.0, 1.0],
                "basket_id": ["ann-1", None, None],
                "store_id": ["s", "s", None],
                "reason": [None, None, "no_consent"],
            },
            schema_overrides={"time": READ_SCHEMA["time"]},
        ),
    ],
    how="diagonal",
)


def admitted(*, erased=(), unread=(), keys=KEYS, **config):
    return admit(EVENTS, config=PrivacyConfig(**config), keys=keys, erased=erased, unread=unread, now=NOW)


def test_an_open_door_changes_nothing():
    events, report = admitted(keys=None)
    assert events.equals(EVENTS)
    assert (report.rows, report.no_consent, report.erased) == (3, 1, 0)


def test_ids_become_pseudonyms_and_nothing_stays_nothing():
    events, report = admitted(pseudonymise=True)
    assert events["user_id"].to_list() == [pseudonym("ann", KEYS), pseudonym("bob", KEYS), None]
    assert not {"ann-1", "e1"} & {*events["basket_id"], *events["event_id"]}
    assert report.pseudonymised == ("user_id", "basket_id", "event_id")


def test_declared_columns_are_dropped_and_others_coarsened():
    events, report = admitted(drop=["store_id", "quantity"], hours=6, price_step=0.5)
    assert events["store_id"].null_count() == 3
    assert events["quantity"].to_list() == [1.0] * 3
    assert events["price"].to_list() == [3.5, 1.0, None]
    assert events["time"][0] == datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert (report.dropped, report.coarsened) == (
        ("quantity", "store_id"),
        {"price": "steps of 0.5", "time": "6 hours"},
    )


def test_each_kind_is_kept_for_its_days():
    events, report = admitted(keep_days={"view": 90, "purchase": 90})
    assert events["event_id"].to_list() == ["e2", "e3"]
    assert report.expired == {"view": 1, "purchase": 0}


def test_erased_people_are_left_out():
    events, report = admitted(erased={pseudonym("ann", KEYS)})
    assert (events["user_id"].to_list(), report.erased) == (["bob", None], 1)


def test_erased_people_are_left_out_of_pseudonymised_events_too():
    stored, _ = admitted(pseudonymise=True)
    rest, gone = forgotten(stored, KEYS, {pseudonym("ann", KEYS)})
    assert (rest.height, gone) == (2, 1)


def test_the_report_names_columns_that_were_never_read(tmp_path):
    _, report = admitted(unread=["phone", "name"])
    report.save(tmp_path / "door.json")
    assert json.loads((tmp_path / "door.json").read_text())["unread"] == ["name", "phone"]


def test_hours_must_divide_a_day():
    with pytest.raises(ValueError, match="does not divide a day"):
        PrivacyConfig(hours=5)


def test_a_bound_on_groups_asks_nothing_of_events():
    assert not PrivacyConfig(k=5).active
    assert PrivacyConfig(k=5, hours=1).active


def test_a_service_that_renames_needs_pseudonyms_in_its_histories():
    with pytest.raises(ValueError, match="raw_ids is set and pseudonymise is not"):
        PrivacyConfig(raw_ids=True)
