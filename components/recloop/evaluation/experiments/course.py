"""Records of the journal -> an experiment's results at the end and at moments on the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recloop.evaluation.experiments.design import Design
from recloop.evaluation.experiments.results import Comparison, Results, results
from recloop.evaluation.experiments.tally import Tally

LOOKS = 40


@dataclass(frozen=True)
class Look:
    """The deciding metric of every variant when so many users had come."""

    users: int
    time: float
    """of the newest record, seconds since the epoch"""
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class Course:
    """results: all metrics at the end. looks: the deciding metric on the way."""

    results: Results
    looks: tuple[Look, ...]
    answers: int


def course(
    records: Iterable[Mapping[str, Any]], design: Design, *, hours: float, before: Mapping[str, float] | None = None
) -> Course:
    """Records in order, and what users bought before -> Course; hours: within which a purchase belongs to an answer."""
    own = [record for record in records if record["kind"] == "event" or exposed(record, design.name)]
    tally, looks = Tally(design.name, hours=hours), []
    every = max(1, len(own) // LOOKS)
    for n, record in enumerate(own, start=1):
        tally.observe(record)
        if n % every == 0 or n == len(own):
            looks.append(_look(results(tally, design, before=before), design, float(record["time"])))
    answers = sum(record["kind"] == "answer" for record in own)
    return Course(results(tally, design, before=before), tuple(looks), answers)


def exposed(record: Mapping[str, Any], name: str) -> bool:
    """Whether an answer's user was in the experiment."""
    return name in (record.get("experiments") or {})


def _look(found: Results, design: Design, time: float) -> Look:
    own = tuple(one for one in found.comparisons if one.metric == design.metric)
    return Look(sum(found.users.values()), time, own)
