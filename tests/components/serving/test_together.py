import asyncio
import os

import pytest

from recloop.errors import Unavailable
from recloop.serving.journal import Journal
from recloop.serving.together import Together


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "journal")
    yield made
    made.close()


def event(name):
    return {"kind": "event", "event_id": name}


def test_callers_of_one_turn_are_one_append_and_each_hears_of_its_own(journal, monkeypatch):
    appends, append = [], journal.append
    monkeypatch.setattr(journal, "append", lambda records: appends.append(len(records)) or append(records))

    async def three():
        together = Together(journal)
        asked = [[event("a")], [event("b"), event("a")], [event("c")]]
        return await asyncio.gather(*[together.append(records) for records in asked])

    assert asyncio.run(three()) == [[True], [True, False], [True]]
    assert appends == [4]
    assert [record["event_id"] for record in journal.replay()] == ["a", "b", "c"]


def test_a_later_turn_is_another_append(journal):
    async def twice():
        together = Together(journal)
        return [await together.append([event("a")]), await together.append([event("a")])]

    assert asyncio.run(twice()) == [[True], [False]]


def test_a_caller_who_left_does_not_keep_the_others_from_their_answer(journal):
    async def one_leaves():
        together = Together(journal)
        gone, stays = together.append([event("a")]), together.append([event("b")])
        gone.cancel()
        return await stays

    assert asyncio.run(one_leaves()) == [True]


@pytest.mark.parametrize("error", [Unavailable("closed"), TypeError("no JSON")])
def test_what_the_journal_refuses_every_caller_hears_of(journal, monkeypatch, error):
    def closed(_):
        raise error

    monkeypatch.setattr(journal, "append", closed)

    async def two():
        together = Together(journal)
        return await asyncio.gather(
            together.append([event("a")]), together.append([event("b")]), return_exceptions=True
        )

    assert asyncio.run(two()) == [error, error]


def test_what_the_disk_refuses_every_caller_hears_of(journal, monkeypatch):
    def full(_):
        raise OSError("no space")

    async def two():
        together = Together(journal)
        return await asyncio.gather(
            together.append([event("a")]), together.append([event("b")]), return_exceptions=True
        )

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        refused = asyncio.run(two())
    assert all(isinstance(error, Unavailable) and "no space" in str(error) for error in refused)
