import numpy as np
import polars as pl

from recloop.evaluation.slices import DEPARTMENTS, slices_of


def test_new_users_rare_items_and_departments_by_hand():
    catalogue = pl.DataFrame({"category": ["A > x", "B", "A > y", "B"]})
    found = slices_of(np.array([3, 49, 50, 80]), np.array([0, 9, 1, 8, 2], dtype=np.float32), catalogue)
    assert found.users["users below 50 events"].tolist() == [True, True, False, False]
    assert found.items["department A"].tolist() == [False, True, False, True, False]
    assert found.items["department B"].tolist() == [False, False, True, False, True]
    # of four items the three least bought
    assert found.items["rare items"].tolist() == [False, False, True, True, True]


def test_only_the_departments_with_most_events_are_slices():
    names = [f"D{n}" for n in range(DEPARTMENTS + 2)]
    popularity = np.array([0, *range(1, len(names) + 1)], dtype=np.float32)
    found = slices_of(np.array([1]), popularity, pl.DataFrame({"category": names}))
    assert sorted(found.items) == [f"department {name}" for name in names[2:]] + ["rare items"]


def test_items_without_a_department_make_no_slice():
    catalogue = pl.DataFrame({"category": ["", None, "A"]}, schema={"category": pl.String})
    found = slices_of(np.array([1]), np.array([0, 5, 5, 1], dtype=np.float32), catalogue)
    assert sorted(found.items) == ["department A", "rare items"]
