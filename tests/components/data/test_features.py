import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames import catalogue, histories
from recloop.data.features import NAMES, NEVER, pair_features, profiles
from recloop.data.habits import habits
from recloop.data.rhythm import rhythm
from recloop.data.statistics import UNKNOWN_GAP, ItemStatistics, item_statistics

PAST = histories(
    [(1, 40), (2, 40), (1, 20), (1, 10), (3, 2)],
    [(2, 50), (2, 25)],
    [],
)
STATS = item_statistics(PAST, catalogue(4))


def features(past, rows, items, stats=STATS):
    rows, items = np.array(rows), np.array(items)
    zeros = np.zeros(len(rows), dtype=np.float32)
    habit = habits(past, len(stats))
    found = pair_features(
        rows=rows,
        items=items,
        habit=habit,
        own=rhythm(past, habit.pairs),
        profile=profiles(past, stats),
        statistics=stats,
        item_knn=zeros,
        linear=zeros,
        sasrec=zeros,
        sasrec_known=zeros,
    )
    return {name: found[:, n] for n, name in enumerate(NAMES)}


def test_habits_of_a_pair_by_hand():
    found = features(PAST, [0], [1])
    assert found["count"][0] == pytest.approx(np.log1p(3))
    assert found["since_last"][0] == pytest.approx(np.log1p(10))
    assert found["since_first"][0] == pytest.approx(np.log1p(40))
    assert found["usual_gap"][0] == pytest.approx(np.log1p(15))
    assert found["due"][0] == pytest.approx(10 / 15)
    assert found["decayed_30"][0] == pytest.approx(np.log1p(sum(0.5 ** (d / 30) for d in (40, 20, 10))), rel=1e-5)
    assert found["recent_28"][0] == pytest.approx(np.log1p(2))
    assert found["per_visit"][0] == pytest.approx(3 / 4)
    assert found["bought_again"][0] == 1
    assert found["since_visit"][0] == pytest.approx(np.log1p(2))


def test_what_never_happened():
    found = features(PAST, [0, 2], [4, 1])
    assert found["bought"].tolist() == [0, 0]
    assert found["since_last"] == pytest.approx(np.log1p(NEVER))
    assert found["since_visit"][1] == pytest.approx(np.log1p(NEVER))


def test_shares_of_category():
    found = features(PAST, [0], [1])
    # items 1 and 3 share a department, item 2 has another
    weights = {d: 0.5 ** (d / 30) for d in (40, 20, 10, 2)}
    own = weights[40] + weights[20] + weights[10] + weights[2]
    assert found["department_share"][0] == pytest.approx(own / (own + weights[40]), rel=1e-5)
    assert found["department_since"][0] == pytest.approx(np.log1p(2))


def test_item_statistics_by_hand():
    assert STATS.pop.tolist() == [0, 3, 3, 1, 0]
    assert STATS.pop28.tolist() == [0, 2, 1, 1, 0]
    assert STATS.pop7.tolist() == [0, 0, 0, 1, 0]
    assert STATS.buyers.tolist() == [0, 1, 2, 1, 0]
    assert STATS.repeat.tolist() == [0, 1, 0.5, 0, 0]
    assert STATS.gap.tolist() == [UNKNOWN_GAP, 15, 25, UNKNOWN_GAP, UNKNOWN_GAP]
    assert STATS.price.tolist() == [0, 1, 2, 3, 0]
    assert STATS.age.tolist() == [0, 40, 50, 2, 0]


def test_statistics_come_back_from_their_file(tmp_path):
    STATS.save(tmp_path / "s.safetensors")
    again = ItemStatistics.load(tmp_path / "s.safetensors")
    assert np.array_equal(again.gap, STATS.gap)
    assert np.array_equal(again.category, STATS.category)


def test_one_row_alone_has_the_features_it_has_in_a_batch():
    batch = features(PAST, [0, 0, 1, 2], [1, 4, 2, 3])
    for row, item, at in ((0, 1, 0), (0, 4, 1), (1, 2, 2), (2, 3, 3)):
        alone = features(PAST.part(row, row + 1), [0], [item])
        assert all(alone[name][0] == batch[name][at] for name in NAMES)


table = st.lists(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 150)), min_size=1, max_size=10).map(
        lambda pairs: sorted(pairs, key=lambda pair: -pair[1])
    ),
    min_size=1,
    max_size=3,
)


def by_hand(row, item):
    """Features of one pair by a slow loop over (item, days ago) pairs; the price of item n is n, its department n % 2."""
    ages = [days for i, days in row if i == item]
    days = sorted(set(ages))
    last = min(ages, default=NEVER)
    gap = (days[-1] - days[0]) / (len(days) - 1) if len(days) > 1 else STATS.gap[item]
    decayed = sum(0.5 ** (age / 30) for age in ages)
    aisle = [days for i, days in row if i % 2 == item % 2]
    total = sum(0.5 ** (age / 30) for _, age in row)
    aisle_decayed = sum(0.5 ** (age / 30) for age in aisle)
    due = last / max(gap, 1)
    return {
        "count": np.log1p(len(ages)),
        "days": np.log1p(len(days)),
        "decayed_30": np.log1p(decayed),
        "since_last": np.log1p(last),
        "usual_gap": np.log1p(gap),
        "due": min(due, 5),
        "due_now": np.exp(-abs(np.log(max(due, 1e-3)))),
        "bought": float(bool(ages)),
        "share_recent": 10 * decayed / max(sum(age < 28 for _, age in row), 1),
        "share_all": 100 * len(ages) / len(row),
        "per_visit": len(days) / len({age for _, age in row}),
        "pop_28": np.log1p(STATS.pop28[item]),
        "user_events": np.log1p(len(row)),
        "user_visits": np.log1p(len({age for _, age in row})),
        "price_against_user": np.log((STATS.price[item] + 0.1) / (np.mean([i for i, _ in row]) + 0.1)),
        "department_share": aisle_decayed / max(total, 1e-6),
        "department_since": np.log1p(min(aisle, default=NEVER)),
        "since_visit": np.log1p(min(age for _, age in row)),
    }


@given(table)
def test_features_are_those_of_a_slow_loop(rows):
    pairs = [(row, item) for row in range(len(rows)) for item in range(1, 5)]
    found = features(histories(*rows), [row for row, _ in pairs], [item for _, item in pairs])
    for n, (row, item) in enumerate(pairs):
        wanted = by_hand(rows[row], item)
        assert {name: found[name][n] for name in wanted} == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_a_smaller_vocabulary_sees_the_events_it_knows():
    found = PAST.within(3)
    assert found.items.tolist() == [1, 2, 1, 1, 2, 2]
    assert found.offsets.tolist() == [0, 4, 6, 6]
    assert np.array_equal(found.now, PAST.now)


def test_rhythm_of_a_pair_by_hand():
    found = features(PAST, [0, 0, 2], [1, 4, 1])
    # the row's visits, newest first: item 3, item 1, item 1, items 1 and 2
    assert found["visits_since"][0] == pytest.approx(np.log1p(1))
    assert found["visits_5"][0] == pytest.approx(np.log1p(sum(0.5 ** (n / 5) for n in (1, 2, 3))), rel=1e-5)
    assert found["visits_share_5"][0] == pytest.approx(sum(0.5 ** (n / 5) for n in (1, 2, 3)) / 4, rel=1e-5)
    assert found["gap_last"][0] == pytest.approx(np.log1p(10))
    assert found["gap_spread"][0] == pytest.approx(np.log1p(5))
    assert found["gap_variation"][0] == pytest.approx(5 / 15)
    assert found["due_last"][0] == pytest.approx(10 / 10)
    assert found["decayed_60"][0] == pytest.approx(np.log1p(sum(0.5 ** (d / 60) for d in (40, 20, 10))), rel=1e-5)
    assert found["weeks_4"][0] == pytest.approx(np.log1p(sum(0.5 ** (w / 4) for w in (5, 2, 1))), rel=1e-5)
    assert found["visits_since"][1:] == pytest.approx(np.log1p(300))
    assert found["gap_last"][1:].tolist() == [0, 0]


def test_items_that_took_the_place_of_another_are_told_apart():
    past = histories([(1, 40), (1, 20), (7, 10), (7, 2)])
    # items 1 and 7 share a category
    found = features(past, [0, 0], [1, 7], item_statistics(past, catalogue(7)))
    assert found["category_visits_since"].tolist() == [0, 0]
    assert found["category_visits_without"].tolist() == [2, 0]
    assert found["category_part"].sum() == pytest.approx(1, rel=1e-5)


def test_two_events_of_one_visit_are_one_visit_and_no_gap():
    found = features(histories([(1, 20), (1, 5), (1, 5)]), [0], [1])
    assert found["visits_2"][0] == pytest.approx(np.log1p(1 + 0.5**0.5), rel=1e-5)
    assert found["gap_last"][0] == pytest.approx(np.log1p(15))
