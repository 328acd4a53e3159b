import asyncio
import threading

import pytest

from recloop.serving.admission import Admission, Overloaded

LAPS = {"rank": 1.0}


@pytest.fixture
def work():
    """A model that answers with what it was asked, in groups that it remembers, once the gate is open."""

    class Work:
        def __init__(self):
            self.groups, self.gate = [], threading.Event()

        def __call__(self, wanted):
            self.groups.append(list(wanted))
            self.gate.wait(10)
            if "bad" in wanted:
                raise ZeroDivisionError
            return [f"slate of {one}" for one in wanted], LAPS

    return Work()


def answers(work, names, *, batch=8, queue=8, patience=60.0):
    """What became of each question, where all but the first arrive while the model is at work."""

    async def run():
        admission = Admission(work, batch=batch, queue=queue, patience=patience)
        asked = [asyncio.create_task(admission.ask(names[0]))]
        while not work.groups and not asked[0].done():
            await asyncio.sleep(0)
        asked += [asyncio.create_task(admission.ask(name)) for name in names[1:]]
        await asyncio.sleep(0)
        work.gate.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        admission.close()
        return [one if isinstance(one, Exception) else one[0] for one in found]

    return asyncio.run(run())


def test_what_arrives_while_the_model_works_is_answered_together(work):
    assert answers(work, ["a", "b", "c", "d"], batch=2) == [f"slate of {name}" for name in "abcd"]
    assert work.groups == [["a"], ["b", "c"], ["d"]]


def test_what_finds_the_queue_full_is_refused(work):
    found = answers(work, ["a", "b", "c", "d"], queue=2)
    assert found[:3] == ["slate of a", "slate of b", "slate of c"]
    assert isinstance(found[3], Overloaded)
    assert "serving.queue" in str(found[3])


def test_what_waited_too_long_is_refused_and_never_worked_on(work):
    found = answers(work, ["a", "b"], patience=0.0)
    assert isinstance(found[1], Overloaded)
    assert "serving.patience_seconds" in str(found[1])
    assert work.groups == [["a"]]


def test_what_finds_the_model_idle_is_never_refused(work):
    assert answers(work, ["a"], patience=0.0) == ["slate of a"]


def test_a_question_that_breaks_the_model_costs_its_neighbours_nothing(work):
    found = answers(work, ["a", "b", "bad", "c"])
    assert [found[0], found[1], found[3]] == ["slate of a", "slate of b", "slate of c"]
    assert isinstance(found[2], ZeroDivisionError)


def test_a_question_says_how_long_it_waited(work):
    async def run():
        admission = Admission(work, batch=1, queue=1, patience=60.0)
        work.gate.set()
        return await admission.ask("a")

    assert set(asyncio.run(run())[1]) == {"wait", "rank"}
