"""What was around events, in training and in serving."""

from dataclasses import replace

import numpy as np
import pytest

from fits import CONFIG, N_CODES, fit, histories_of, walks
from recloop.models.context import FEATURES, context_of
from recloop.models.encoder import Encoder
from recloop.models.sequences import Gaps, Sequences

EVEN = np.concatenate([[0.0], np.full(N_CODES - 1, 1 / (N_CODES - 1))])
HOUR, DAY = 3600, 86400
ALL = tuple(FEATURES)


def history(times, *, prices=None, discounts=None):
    made = histories_of(list(range(1, len(times) + 1)))
    return replace(
        made,
        times=np.array(times, dtype=np.int64),
        prices=np.array(prices or made.prices, dtype=np.float32),
        discounts=np.array(discounts or made.discounts, dtype=np.float32),
    )


def codes(name, *args, **kwargs):
    return context_of(history(*args, **kwargs), [name])[:, 0].tolist()


def test_hours_and_weekdays_are_those_of_utc():
    thursday_night, sunday_noon = 23 * HOUR, 3 * DAY + 12 * HOUR
    assert codes("hour", [thursday_night, sunday_noon]) == [24, 13]
    assert codes("weekday", [thursday_night, sunday_noon]) == [4, 7]


def test_the_time_since_the_event_before_begins_anew_with_each_user():
    two = replace(history([0, 0, HOUR, 100, 100 + 30 * DAY]), offsets=np.array([0, 3, 3, 5]), now=np.zeros(3, np.int64))
    assert context_of(two, ["since"])[:, 0].tolist() == [1, 2, 3, 1, 12]


def test_an_unknown_price_is_code_zero_and_levels_rise_with_the_price():
    assert codes("price", [0, 1, 2, 3], prices=[0.0, 1.0, 1.5, 1e9]) == [0, 11, 12, 41]


def test_discounts_are_told_in_fifths():
    assert codes("discount", [0, 1, 2, 3], discounts=[0.0, 0.1, 0.2, 1.0]) == [1, 2, 2, 6]


def test_a_store_is_its_own_code():
    told = replace(history([0, 1]), stores=np.array([0, 40], dtype=np.uint8))
    assert context_of(told, ["store"])[:, 0].tolist() == [0, 40]


def test_codes_of_anything_lie_below_their_size():
    wild = history([0, 10**9, 4 * 10**9], prices=[1e-9, 1e12, 3.0], discounts=[-1.0, 2.0, 0.5])
    assert (context_of(wild, ALL).max(axis=0) < [FEATURES[name].size for name in ALL]).all()


def batch_of(kind, **extra):
    config = CONFIG.model_copy(update={"context": ALL})
    return next(kind(walks(), config, epochs=1, seed=3, probability=EVEN, **extra).batches(0))


@pytest.mark.parametrize(("kind", "extra"), [(Sequences, {}), (Gaps, {"mask_share": 0.5})])
def test_nothing_is_known_of_padding_and_of_what_is_to_be_foretold(kind, extra):
    batch = batch_of(kind, **extra)
    assert not batch.context[batch.items == 0].any()
    assert (batch.context[batch.items > 0][:, 0] > 0).all()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    place = tmp_path_factory.mktemp("context")
    fit(place / "out", place / "work", config=CONFIG.model_copy(update={"context": ALL, "epochs": 1}))
    return Encoder.load(place / "out")


def test_a_loaded_encoder_looks_at_the_context_that_it_learnt_with(encoder):
    noon = histories_of([3, 5, 8])
    night = replace(noon, times=noon.times + 7 * HOUR)
    assert np.abs(encoder.encode(night) - encoder.encode(noon)).max() > 1e-4


def test_serving_feeds_the_codes_of_training(encoder, monkeypatch):
    rows, fed = histories_of([4, 7, 9, 2]), {}
    monkeypatch.setattr(encoder, "run", Spy(encoder.run, fed))
    encoder.encode(rows)
    asked = dict(zip(fed["items"][0].tolist(), fed["context"][0].tolist(), strict=True))
    config = CONFIG.model_copy(update={"context": ALL})
    (batch,) = Gaps(rows, config, 1, 0, EVEN, mask_share=0.3).batches(0)
    seen = batch.items > 0
    learnt = zip(batch.items[seen].tolist(), batch.context[seen].tolist(), strict=True)
    assert all(asked[item] == codes for item, codes in learnt)


class Spy:
    """A session that keeps what it was fed."""

    def __init__(self, run, fed):
        self.inner, self.fed = run, fed

    def run(self, names, feed):
        self.fed |= feed
        return self.inner.run(names, feed)
