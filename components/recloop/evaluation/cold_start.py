"""Dataset and model -> Router: which source answers best when only the last few events of a user are known."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.config import Config
from recloop.data.dataset import Dataset
from recloop.data.histories import Histories
from recloop.data.truth import Truth
from recloop.evaluation.intervals import paired
from recloop.evaluation.metrics import per_user
from recloop.models.alike import Alike
from recloop.models.router import ALIKE, MODEL, Router, Stretch, sources_of
from recloop.models.served import Served
from recloop.models.task import past_of

EVENTS = (0, 1, 2, 5, 20)
"""known events; the last stands for all users of at least so many, seen whole"""
USERS = 1000
"""at most so many are asked: half choose, half judge the choice"""
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]


def learn_router(dataset: Path, model: Path, *, config: Config) -> Router:
    """Dataset and model folders -> Router, on the users of the test window.

    A source takes the model's place where it is better with the confidence of `evaluation` on the users who choose.
    """
    data = Dataset.load(dataset)
    truth = data.truth(data.test)
    rng = np.random.default_rng([config.seed, len(truth)])
    truth = truth.take(rng.permutation(len(truth))[:USERS])
    served = Served.load(model, threads=config.trainer.threads)
    past = past_of(data, data.test, truth.users).within(served.n_codes)
    asked = [data.users.ids[code - 1] for code in truth.users.tolist()]
    others = _of_others(data, served, truth)
    return Router(tuple(_stretch(served, past, truth, events, config, others, asked) for events in EVENTS))


def _of_others(data: Dataset, served: Served, truth: Truth) -> tuple[Alike, ...]:
    """For users asked at even places and at odd ones: what people alike take, learnt without them; none without attributes."""
    if data.attributes is None:
        return ()
    past, popular = past_of(data, data.test).within(served.n_codes), served.statistics.pop28
    halves = (truth.users[half::2].tolist() for half in (0, 1))
    return tuple(Alike.fit(data.attributes, past, data.users, popular, without=half) for half in halves)


def _alike(others: tuple[Alike, ...], asked: list[str], rows: NDArray[np.int64], known: Histories, k: int) -> I32:
    """The lists of the users asked at `rows`, each learnt from others. [rows, k]"""
    items = np.zeros((len(rows), k), dtype=np.int32)
    for half, alike in enumerate(others):
        own = np.flatnonzero(rows % 2 == half)
        items[own] = alike.of([asked[row] for row in rows[own].tolist()]).recommend(known.take(own), k=k).items
    return items


def shortened(past: Histories, events: int) -> Histories:
    """The last `events` events of each row; of the greatest of EVENTS, whole rows."""
    if events == EVENTS[-1]:
        return past
    place = np.arange(len(past.items)) - past.offsets[past.rows + 1]
    return past.only(np.flatnonzero(place >= -events))


def _stretch(
    served: Served,
    past: Histories,
    truth: Truth,
    events: int,
    config: Config,
    others: tuple[Alike, ...],
    asked: list[str],
) -> Stretch:
    rows = np.flatnonzero(past.lengths >= events)
    known, answers = shortened(past, events).take(rows), truth.take(rows)
    k = config.evaluation.k
    lists = {name: source.recommend(known, k=k).items for name, source in sources_of(served).items()}
    if others:
        lists[ALIKE] = _alike(others, asked, rows, known, k)
    found = {name: _ndcg(items, answers) for name, items in lists.items()}
    choosing, judging = np.arange(len(rows)) % 2 == 0, np.arange(len(rows)) % 2 == 1
    source = _best({name: values[choosing] for name, values in found.items()}, config)
    return Stretch(
        events=events,
        source=source,
        users=int(choosing.sum()),
        chosen_by={name: _mean(values[choosing]) for name, values in found.items()},
        held_out={name: _mean(found[name][judging]) for name in dict.fromkeys((MODEL, source))},
    )


def _best(found: dict[str, F64], config: Config) -> str:
    """The best of those that beat the model beyond doubt; the model where none does."""
    wanted = config.evaluation
    better = {}
    for name, values in found.items():
        ahead = paired(values, found[MODEL], times=wanted.bootstrap, confidence=wanted.confidence, seed=config.seed)
        if ahead.low > 0:
            better[name] = ahead.value
    return max(better, key=lambda name: better[name], default=MODEL)


def _ndcg(items: NDArray[np.int32], truth: Truth) -> F64:
    return per_user(items, truth.rows, truth.items, truth.spend)["ndcg"]


def _mean(values: F64) -> float:
    return round(float(np.nanmean(values)), 6) if np.isfinite(values).any() else 0.0
