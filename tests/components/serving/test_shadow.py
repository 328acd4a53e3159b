from dataclasses import replace

import pytest

from recloop.serving.bundle import Bundle
from recloop.serving.filters import Masks
from recloop.serving.schemas import Ask
from recloop.serving.shadow import Shadow
from recloop.serving.stages import Serving


class Breaks:
    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")


@pytest.fixture(scope="module")
def other(other_folder):
    bundle = Bundle.load(other_folder)
    return Serving(bundle, "other", 0, Masks(bundle))


def asked(engine, users):
    return [engine.recommend(Ask(user_id=user), now=engine.serving.bundle.end + 5.0) for user in users]


def figures(shadow, engine, users, *, wait=True):
    shadow.start()
    answers = asked(engine, users)
    while wait and not shadow.line.empty():
        pass
    shadow.line.put(None)
    shadow.thread.join()
    engine.observers.clear()
    return shadow.figures(), answers


def test_a_shadow_of_the_same_release_gives_the_same_answers(engine):
    found, _ = figures(Shadow(engine, engine.serving, share=1.0, size=64), engine, ["u1", "u2", "nobody"])
    assert (found["copied"], found["compared"], found["dropped"], found["failed"]) == (3, 3, 0, 0)
    assert (found["overlap"], found["same_first"]) == (1.0, 1.0)
    assert found["shadow"]["p99_ms"] >= found["shadow"]["p50_ms"] > 0


def test_another_release_differs_and_no_shopper_sees_it(engine, other):
    found, answers = figures(Shadow(engine, other, share=1.0, size=64), engine, ["u0", "u1", "u2", "u3"])
    assert found["same_first"] < 1
    assert {answer["release"] for answer in answers} == {"first"}


def test_a_shadow_that_breaks_is_counted_and_costs_nobody_an_answer(engine, other):
    broken = replace(other, bundle=replace(other.bundle, model=Breaks()))
    found, answers = figures(Shadow(engine, broken, share=1.0, size=64), engine, ["u1", "u2"])
    assert found["failed"] == 2
    assert "no recommend" in found["error"]
    assert all(answer["items"] for answer in answers)


def test_copies_that_do_not_fit_are_dropped(engine, other):
    shadow = Shadow(engine, other, share=1.0, size=2)
    engine.observers.append(shadow.copy)
    asked(engine, ["u1"] * 5)
    assert (shadow.copied, shadow.dropped) == (2, 3)


def test_only_the_share_is_copied(engine, other):
    shadow = Shadow(engine, other, share=0.3, size=1000)
    engine.observers.append(shadow.copy)
    asked(engine, ["u1"] * 80)
    assert 8 < shadow.copied < 42


def test_stopping_leaves_what_waits(engine, other):
    shadow = Shadow(engine, other, share=1.0, size=8)
    shadow.start()
    asked(engine, ["u1"] * 20)
    shadow.stop()
    assert not shadow.thread.is_alive()
    assert engine.observers == []
