"""The pair features of the ranker: one definition for training, evaluation and serving."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import Grouped
from recloop.data.habits import Habits, ages
from recloop.data.histories import Histories
from recloop.data.rhythm import Rhythm, rhythm
from recloop.data.statistics import ItemStatistics

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Of = Callable[..., F32]
"""values of groups, default 0 -> values of pairs"""

WIDTH = np.int64(1 << 32)
"""of a row in the keys of categories"""
NEVER = 400.0  # days: recency of what never happened
LONG = 300.0  # visits: the same

HABIT = (
    "count", "days", "decayed_7", "decayed_30", "decayed_90", "recent_28", "since_last", "since_first", "usual_gap",
    "due", "due_now", "bought", "bought_again", "share_recent", "share_all", "per_visit", "quantity",
)  # fmt: skip
ITEM = (
    "pop_7", "pop_28", "pop_all", "trend_week", "trend_quarter", "buyers", "repeat_rate", "item_gap", "item_age", "price",
)  # fmt: skip
USER = ("user_events", "user_visits", "user_discount", "price_against_user")
CATEGORY = (
    "department_share", "department_decayed", "department_since", "category_share", "category_decayed", "category_since",
)  # fmt: skip
RHYTHM = (
    "visits_2", "visits_5", "visits_15", "visits_40", "visits_share_5", "visits_share_15", "visits_since", "gap_spread",
    "gap_variation", "gap_last", "due_last", "decayed_14", "decayed_60", "decayed_180", "weeks_4", "weeks_12",
    "category_visits_5", "category_visits_15", "category_visits_since", "category_part", "category_visits_without",
)  # fmt: skip
"""counted in visits and weeks; the last two tell an item from others of its category that took its place"""
SOURCES = ("item_knn", "item_knn_share", "linear", "sasrec", "sasrec_known")
CONTEXT = ("since_visit", "user_recent_28", "discount", "discount_28", "price_now", "price_paid")
"""what is true of the moment: the visit rhythm, and today's price and discount against the usual"""
NAMES: tuple[str, ...] = HABIT + ITEM + USER + CATEGORY + RHYTHM + SOURCES + CONTEXT
"""Columns of `pair_features`; counts and days as log(1 + x), shares in percent, prices as log ratios."""


@dataclass(frozen=True)
class Profiles:
    """Aggregates of each row that its pairs share."""

    events: F32
    recent: F32  # events in the last 28 days
    decayed: F32  # half-life 30 days
    visits: F32  # distinct moments
    since: F32  # days since the last event
    discount: F32  # mean
    price: F32  # mean
    departments: Grouped
    department_sums: tuple[F32, F32]  # decayed events, days since the last
    categories: Grouped
    category_sums: tuple[F32, F32]
    category_rhythm: Rhythm


def profiles(histories: Histories, statistics: ItemStatistics) -> Profiles:
    """Histories -> aggregates of each row."""
    rows, n = histories.rows, len(histories)
    age = ages(histories)
    weight = (0.5 ** (age / 30.0)).astype(np.float32)
    events = np.bincount(rows, minlength=n).astype(np.float32)
    departments, department_sums = _grouped(rows, histories, statistics.department, weight, age)
    categories, category_sums = _grouped(rows, histories, statistics.category, weight, age)
    return Profiles(
        events=events,
        recent=_sum(rows, age < 28, n),
        decayed=_sum(rows, weight, n),
        visits=_visits(histories),
        since=_since(histories),
        discount=(_sum(rows, histories.discounts, n) / np.maximum(events, 1)).astype(np.float32),
        price=(_sum(rows, histories.prices, n) / np.maximum(events, 1)).astype(np.float32),
        departments=departments,
        department_sums=department_sums,
        categories=categories,
        category_sums=category_sums,
        category_rhythm=rhythm(histories, categories),
    )


def pair_features(
    *,
    rows: I64,
    items: I64,
    habit: Habits,
    own: Rhythm,
    profile: Profiles,
    statistics: ItemStatistics,
    item_knn: F32,
    linear: F32,
    sasrec: F32,
    sasrec_known: F32,
) -> F32:
    """(row, item) pairs -> features in the order of NAMES. [pairs, len(NAMES)]

    own: rhythm of habit.pairs. item_knn, linear, sasrec: the pair's score by each source; sasrec_known: 1 where the encoder was
    trained on the item.
    """
    of = _of(*habit.pairs.find(rows * habit.n_codes + items))
    of_department = _of(*profile.departments.find(rows * WIDTH + statistics.department[items]))
    of_category = _of(*profile.categories.find(rows * WIDTH + statistics.category[items]))
    total = profile.decayed[rows]
    columns = (
        *_habit(rows, items, of, habit, profile, statistics),
        *_item(items, statistics),
        *_user(rows, items, profile, statistics),
        *_category(of_department, profile.department_sums, total),
        *_category(of_category, profile.category_sums, total),
        *_rhythm(rows, of, of_category, habit, own, profile),
        np.log1p(item_knn),
        100 * item_knn / np.maximum(profile.events[rows], 1),
        linear,
        sasrec,
        sasrec_known,
        *_context(rows, items, of, habit, profile, statistics),
    )
    out = np.empty((len(rows), len(NAMES)), dtype=np.float32)
    for n, column in enumerate(columns):
        out[:, n] = column
    return out


def _habit(rows: I64, items: I64, of: Of, habit: Habits, profile: Profiles, stats: ItemStatistics) -> tuple[F32, ...]:
    days, last, count = of(habit.days), of(habit.last, NEVER), of(habit.count)
    gap = np.where(days > 1, of(habit.gap), stats.gap[items])
    due = last / np.maximum(gap, 1)
    return (
        _logged(of, habit.count),
        _logged(of, habit.days),
        *(_logged(of, d) for d in habit.decayed),
        _logged(of, habit.recent),
        _logged(of, habit.last, NEVER),
        _logged(of, habit.first),
        np.log1p(gap),
        np.minimum(due, 5),
        np.exp(-np.abs(np.log(np.maximum(due, 1e-3)))),
        of(np.ones_like(habit.days)),
        (days > 1).astype(np.float32),
        10 * of(habit.decayed[1]) / np.maximum(profile.recent[rows], 1),
        100 * count / np.maximum(profile.events[rows], 1),
        days / np.maximum(profile.visits[rows], 1),
        _logged(of, np.minimum(habit.quantity, 20)),
    )


def _item(items: I64, stats: ItemStatistics) -> tuple[F32, ...]:
    pop7, pop28, pop90 = stats.pop7[items], stats.pop28[items], stats.pop90[items]
    return (
        np.log1p(pop7),
        np.log1p(pop28),
        np.log1p(stats.pop[items]),
        np.log((4 * pop7 + 5) / (pop28 + 5)),
        np.log((3 * pop28 + 5) / (pop90 + 5)),
        np.log1p(stats.buyers[items]),
        stats.repeat[items],
        np.log1p(stats.gap[items]),
        np.log1p(stats.age[items]),
        np.log1p(stats.price[items]),
    )


def _user(rows: I64, items: I64, profile: Profiles, stats: ItemStatistics) -> tuple[F32, ...]:
    return (
        np.log1p(profile.events)[rows],
        np.log1p(profile.visits)[rows],
        profile.discount[rows],
        _ratio(stats.price[items], profile.price[rows]),
    )


def _category(of: Of, sums: tuple[F32, F32], total: F32) -> tuple[F32, F32, F32]:
    share: F32 = (of(sums[0]) / np.maximum(total, 1e-6)).astype(np.float32)
    return share, _logged(of, sums[0]), _logged(of, sums[1], NEVER)


def _rhythm(rows: I64, of: Of, of_category: Of, habit: Habits, own: Rhythm, profile: Profiles) -> tuple[F32, ...]:
    kind, visits = profile.category_rhythm, profile.visits[rows]
    since, kind_since = of(own.since, LONG), of_category(kind.since, LONG)
    return (
        *(_logged(of, v) for v in own.visits),
        # a user with many visits has 1 / (1 - 0.5 ** (1 / half-life)) decayed ones
        of(own.visits[1]) / np.clip(visits, 1, 7.7),
        of(own.visits[2]) / np.clip(visits, 1, 22.1),
        _logged(of, own.since, LONG),
        _logged(of, own.gap_spread),
        of(own.gap_spread / np.maximum(habit.gap, 1)),
        _logged(of, own.gap_last),
        np.minimum(of(habit.last, NEVER) / np.maximum(of(own.gap_last), 1), 5),
        *(_logged(of, d) for d in own.days),
        *(_logged(of, w) for w in own.weeks),
        _logged(of_category, kind.visits[1]),
        _logged(of_category, kind.visits[2]),
        _logged(of_category, kind.since, LONG),
        of(own.days[1]) / np.maximum(of_category(kind.days[1]), np.float32(1e-3)),
        np.clip(since - kind_since, 0, 20),
    )


def _of(at: I64, there: NDArray[np.bool_]) -> Of:
    """Values of groups -> those of the wanted pairs, a default where there is none."""
    pairs = np.flatnonzero(there)
    groups = at[pairs]

    def of(values: F32, default: float = 0.0) -> F32:
        found = np.full(len(at), default, dtype=np.float32)
        found[pairs] = values[groups]
        return found

    return of


def _logged(of: Of, values: F32, default: float = 0.0) -> F32:
    """log(1 + x) of the wanted pairs, taken once a group: there are fewer of them."""
    return of(np.log1p(values), float(np.log1p(np.float32(default))))


def _context(rows: I64, items: I64, of: Of, habit: Habits, profile: Profiles, stats: ItemStatistics) -> tuple[F32, ...]:
    now = stats.price28[items]
    paid = np.where(of(np.ones_like(habit.days)) > 0, of(habit.price), now) if len(habit.price) else now
    return (
        np.log1p(profile.since)[rows],
        np.log1p(profile.recent)[rows],
        stats.discount[items],
        stats.discount28[items],
        _ratio(now, stats.price[items]),
        _ratio(paid, now),
    )


def _ratio(a: F32, b: F32) -> F32:
    return np.log((a + np.float32(0.1)) / (b + np.float32(0.1)))


def _sum(rows: I64, values: NDArray[np.generic], n: int) -> F32:
    return np.bincount(rows, weights=values, minlength=n).astype(np.float32)


def _visits(histories: Histories) -> F32:
    """Distinct moments with an event in each row."""
    if not len(histories.times):
        return np.zeros(len(histories), dtype=np.float32)
    rows = histories.rows
    fresh = np.concatenate([[True], (histories.times[1:] != histories.times[:-1]) | (rows[1:] != rows[:-1])])
    return _sum(rows, fresh, len(histories))


def _since(histories: Histories) -> F32:
    """Days since the last event of each row; NEVER where it has none."""
    some = histories.lengths > 0
    last = histories.times[np.maximum(histories.offsets[1:] - 1, 0)[some]]
    since = np.full(len(histories), NEVER, dtype=np.float32)
    since[some] = (histories.now[some] - last) / 86_400
    return since


def _grouped(
    rows: I64, histories: Histories, codes: NDArray[np.int32], weight: F32, age: F32
) -> tuple[Grouped, tuple[F32, F32]]:
    groups = Grouped.by(rows * WIDTH + codes[histories.items])
    return groups, (groups.sum(weight), groups.last(age))
