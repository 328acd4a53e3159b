import numpy as np
import polars as pl
import pytest

from recloop.data.histories import Histories
from recloop.data.vocabulary import Vocabulary
from recloop.models.alike import Alike

USERS = Vocabulary(tuple(f"u{n}" for n in range(40)))
ATTRIBUTES = pl.DataFrame(
    {
        "user_id": ["new", *USERS.ids],
        "sex": ["f", *("f" if n % 2 else "m" for n in range(40))],
        "age": [None, *("old" if n < 20 else None for n in range(40))],
    }
).sort("user_id")
POPULAR = np.array([0, 5, 5, 9], dtype=np.float32)


def histories(items: list[list[int]]) -> Histories:
    """A row a user."""
    codes = np.array([code for row in items for code in row], dtype=np.int32)
    zeros = np.zeros(len(codes), dtype=np.float32)
    return Histories(
        offsets=np.concatenate([[0], np.cumsum([len(row) for row in items])]).astype(np.int64),
        items=codes,
        times=np.arange(len(codes)),
        prices=zeros,
        quantities=zeros,
        discounts=zeros,
        stores=np.zeros(len(codes), dtype=np.uint8),
        now=np.full(len(items), len(codes)),
    )


# men take item 1, women item 2, everybody item 3
PAST = histories([[2, 3, 2] if n % 2 else [1, 3] for n in range(40)])
NOBODY = histories([[], [], []])


@pytest.fixture
def fitted():
    return Alike.fit(ATTRIBUTES, PAST, USERS, POPULAR)


def test_a_user_without_an_event_gets_what_people_alike_take(fitted):
    assert fitted.of(["new", "u0", "u39"]).recommend(NOBODY, k=3).items.tolist() == [[3, 2, 1], [3, 1, 2], [3, 2, 1]]


def test_a_lift_is_of_distinct_buyers_with_ten_expected_ones_added(fitted):
    woman = fitted.values[fitted.places["u39"]]
    assert fitted.lifts[woman[woman > 0]][0, 2] == pytest.approx(np.log((20 + 10) / (10 + 10)))


def test_of_unknown_users_it_is_popularity(fitted):
    scores = fitted.of([None, "stranger", "u1"]).recommend(NOBODY, k=3).scores
    assert scores[:2].tolist() == [pytest.approx(np.log1p([9, 5, 5]).tolist())] * 2


def test_users_who_are_asked_teach_nothing():
    women = [code for code in range(1, 41) if code % 2 == 0]
    blind = Alike.fit(ATTRIBUTES, PAST, USERS, POPULAR, without=women)
    assert blind.of(["new"]).recommend(histories([[]]), k=3).scores.tolist()[0] == pytest.approx(
        np.log1p([9, 5, 5]).tolist()
    )


def test_what_is_saved_is_loaded(fitted, tmp_path):
    fitted.save(tmp_path)
    again = Alike.load(tmp_path)
    assert again.ids == fitted.ids
    assert (again.lifts == fitted.lifts).all()
    assert Alike.load(tmp_path / "nothing") is None


def test_histories_are_left_as_they_are(fitted):
    assert PAST.items.tolist() == [code for n in range(40) for code in ([2, 3, 2] if n % 2 else [1, 3])]
