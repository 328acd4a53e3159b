from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recloop.columns import Columns
from recloop.config import QualityConfig
from recloop.data.events import EVENT_SCHEMA, reject
from recloop.data.profile import profile
from recloop.quality.faults.batch import Batch
from recloop.quality.faults.catalogue import FAULTS
from recloop.quality.watch.arrivals import LastCheck
from watched_shops import DAYS, ITEMS, START, events, seen

TODAY = START + timedelta(days=DAYS - 1)
WEEK = pl.col(Columns.Time) >= START + timedelta(days=DAYS - 7)
NOW = START + timedelta(days=DAYS)
QUALITY = QualityConfig(earliest=datetime(2020, 1, 1, tzinfo=UTC))


JUDGED = (
    "duplicate_impressions",
    "replayed_day",
    "bot",
    "default_item",
    "clock_behind",
    "zone_shift",
    "gap",
    "schema_drift",
    "user_id_reuse",
    "missing_consent",
    "store_currency",
    "price_lost",
    "silent_store",
    "lost_users",
    "catalogue_encoding",
    "catalogue_out_of_step",
)
"""one or two of each kind; `recloop bench faults` judges all of them"""


@pytest.fixture(scope="module")
def clean():
    return events()


@pytest.fixture(scope="module")
def delivery(clean):
    return Batch(clean.filter(WEEK), ITEMS, TODAY)


@pytest.fixture(scope="module")
def last(clean):
    known = clean.filter(pl.col(Columns.Time) < TODAY).select(EVENT_SCHEMA.names())
    return LastCheck(profile(known, clean.clear(), ITEMS), ITEMS, TODAY.date().toordinal() - 719_163 - 1)


def judged(clean, batch, last):
    fresh, refused = reject(batch.events, batch.items, config=QUALITY, now=NOW)
    good = pl.concat([clean.filter(~WEEK).select(EVENT_SCHEMA.names()), fresh])
    return seen(good, refused, batch.items, previous=last)


def test_a_clean_delivery_has_no_finding(clean, delivery, last):
    assert not judged(clean, delivery, last).findings


@pytest.mark.parametrize("name", JUDGED)
def test_the_strongest_of_a_fault_is_found(name, clean, delivery, last):
    fault = FAULTS[name]
    planted = fault.plant(delivery, fault.strengths[-1], np.random.default_rng(3))
    assert judged(clean, planted, last).findings


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_changes_the_delivery_and_none_its_columns(name, delivery):
    planted = FAULTS[name].plant(delivery, FAULTS[name].strengths[-1], np.random.default_rng(3))
    assert not (planted.events.equals(delivery.events) and planted.items.equals(delivery.items))
    assert (planted.events.schema, planted.items.schema) == (delivery.events.schema, delivery.items.schema)


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_planted_by_the_seed(name, delivery):
    fault = FAULTS[name]
    one, two = (fault.plant(delivery, fault.strengths[0], np.random.default_rng(3)) for _ in range(2))
    assert one.events.equals(two.events)
    assert one.items.equals(two.items)


@pytest.mark.parametrize(
    "name", [n for n in FAULTS if n not in {"silent_store", "catalogue_cut", "catalogue_out_of_step"}]
)
def test_days_before_the_last_stay_as_they_were(name, delivery):
    fault = FAULTS[name]
    planted = fault.plant(delivery, fault.strengths[0], np.random.default_rng(3))
    assert (
        delivery.events.filter(pl.col(Columns.Time) < TODAY)
        .join(planted.events, on=Columns.EventId, how="anti")
        .is_empty()
    )


def test_strengths_grow():
    assert all(list(f.strengths) == sorted(f.strengths) for f in FAULTS.values())
