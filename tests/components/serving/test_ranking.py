import numpy as np
import pytest

from recloop.serving.schemas import Ask


@pytest.fixture
def wanted(engine, bundle):
    def make(**ask):
        return engine.wanted(Ask(**ask), now=bundle.end + 100.0)[0]

    return make


def test_many_questions_get_what_each_gets_alone(engine, wanted):
    asked = [
        wanted(user_id="u0"),
        wanted(user_id="u1", k=3),
        wanted(user_id="u2", exclude_seen=True),
        wanted(user_id="u3", exclude=["a", "b"]),
        wanted(user_id="u4", filters={"category": "FOOD"}),
        wanted(user_id="u5"),
        wanted(session=["l"]),
        wanted(user_id="stranger"),
    ]
    together = engine.proposed(asked)[0]
    alone = [engine.proposed([one])[0][0] for one in asked]
    assert [slate.items.tolist() for slate in together] == [slate.items.tolist() for slate in alone]
    assert all(np.allclose(a.scores, b.scores) for a, b in zip(together, alone, strict=True))


def test_questions_that_differ_by_user_only_are_one_call_of_the_model(engine, wanted, monkeypatch):
    rows = []
    model = engine.serving.bundle.model
    recommend = type(model).recommend
    monkeypatch.setattr(
        type(model), "recommend", lambda own, past, **how: rows.append(len(past)) or recommend(own, past, **how)
    )
    engine.proposed([wanted(user_id="u0"), wanted(user_id="u1"), wanted(user_id="u2", k=2), wanted(user_id="u3")])
    assert sorted(rows) == [1, 3]


def test_a_question_keeps_its_release_when_another_is_swapped_in(engine, wanted, other_folder):
    from recloop.serving.bundle import Bundle

    before = wanted(user_id="u0")
    expected = engine.proposed([before])[0][0].items.tolist()
    engine.swap(Bundle.load(other_folder), digest="second", generation=2)
    slates, _ = engine.proposed([before, wanted(user_id="u0")])
    assert slates[0].items.tolist() == expected != slates[1].items.tolist()
    assert engine.answered(before, slates[0], {})["release"] == "first"
