"""Experiments of a scenario: the journal's records -> results and a report."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.artifacts import open_store
from recloop.config import Config
from recloop.errors import BadData, Unavailable
from recloop_pipelines.places import latest
from recloop_pipelines.serve import segments
from recloop_pipelines.service_api import asked
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    from recloop.evaluation.experiments.course import Course
    from recloop.evaluation.experiments.design import Running

PAST_DAYS = 28
"""purchases of so many days before the first exposure are what CUPED knows of a user"""


def known(config: Config) -> "list[Running]":
    """Every experiment of the running service; those of its file on this machine, where it does not run."""
    from recloop.evaluation.experiments.design import Running
    from recloop.serving.experiment import LIST
    from recloop_pipelines.trying import place

    try:
        return [Running.model_validate(one) for one in asked("GET", "/v1/experiments")["experiments"]]
    except Unavailable:
        path = place(config, "experiments")
        if not path.exists():
            raise
        return list(LIST.validate_json(path.read_bytes()))


def one(config: Config, name: str) -> "Running":
    """The experiment of a name. Raises BadData listing those that there are."""
    every = known(config)
    found = next((own for own in every if own.design.name == name), None)
    if found is None:
        names = ", ".join(own.design.name for own in every) or "none"
        raise BadData(f"{config.scenario} has no experiment {name!r}; there are: {names}.")
    return found


def measured(config: Config, running: "Running") -> "Course":
    """What an experiment shows by now. Raises BadData where no user took part yet."""
    from recloop.evaluation.experiments.course import course, exposed

    # an answer of one replica may lie behind its user's purchase at another
    told = sorted(records(config), key=itemgetter("time"))
    first = min((r["time"] for r in told if r["kind"] == "answer" and exposed(r, running.design.name)), default=None)
    if first is None:
        raise BadData(f"No answer of the journal belongs to {running.design.name} yet. Ask the service first.")
    hours = config.feedback.attribution_hours
    return course(told, running.design, hours=hours, before=_past(config, datetime.fromtimestamp(first, UTC)))


def write(config: Config, running: "Running", found: "Course", folder: Path) -> dict[str, Any]:
    """Write report.html and results.json into the folder -> what the JSON holds."""
    import orjson

    from recloop.evaluation.experiments.page import headline, page

    told: dict[str, Any] = {"experiment": running.model_dump(mode="json"), "headline": headline(found, running.design)}
    told |= {"results": asdict(found.results), "answers": found.answers, "report": str(folder / "report.html")}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(page(found, running.design))
    (folder / "results.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return told


def records(config: Config) -> Iterator[dict[str, Any]]:
    """The journals' records, segment by segment: those of the store, which all replicas fill, and of this machine, each once."""
    from recloop.serving.journal import ACTIVE, read_segment

    running = _sealed()
    folder = settings().folder / "journal" / config.scenario
    here = {path.name: path for path in folder.glob("segment-*.log")}
    store = open_store(settings().store_uri)
    there = {key.rsplit("/", 1)[-1]: key for key in store.keys(segments(config))}
    with tempfile.TemporaryDirectory() as aside:
        for name in sorted(here.keys() | there.keys()):
            path = here.get(name, Path(aside) / "segment.log")
            if name not in here:
                store.download(there[name], path)
            yield from read_segment(path)
    if not running and (folder / ACTIVE).exists():
        yield from read_segment(folder / ACTIVE)


def _sealed() -> bool:
    """Whether the service runs; then its newest records are in a sealed segment now."""
    try:
        asked("POST", "/v1/journal/seal")
    except Unavailable:
        return False
    return True


def _past(config: Config, first: datetime) -> dict[str, float]:
    """User -> purchases in the days before the first exposure; nothing where no events were checked yet."""
    import polars as pl

    uri = latest(config, "checked")
    if uri is None:
        return {}
    events = pl.scan_parquet(opened(uri, kind="checked").path / "events.parquet")
    bought = events.filter(
        (pl.col("event") == "purchase")
        & (pl.col("time") < first)
        & (pl.col("time") >= first - timedelta(days=PAST_DAYS))
    )
    counts = bought.group_by("user_id").agg(pl.len().cast(pl.Float64)).collect()
    return dict(counts.iter_rows())
