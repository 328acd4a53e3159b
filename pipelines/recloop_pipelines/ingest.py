"""events -> checked: what the source and the feedback brought, judged by the suite."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.artifacts import Draft, publishing, read_manifest
from recloop.config import Config
from recloop.errors import QualityFailed
from recloop_pipelines import notifying, privacy, quarantine, streaming
from recloop_pipelines.places import absolute, announce, latest, relative, required
from recloop_pipelines.settings import opened, settings
from recloop_pipelines.source import attributes, collected, undeleted

if TYPE_CHECKING:
    import polars as pl

    from recloop.config import QualityConfig
    from recloop.data.sources.source import Source
    from recloop.quality.check import Before

UNDATED = ("order", "nothing")
"""how exactly a public set dates its events, where days mean nothing"""


def collect(*, config: Config, out: str, feedback: str = "") -> str:
    """source, feedback -> events: the canonical table with everything the loop has learnt so far."""
    stream = streaming.following(config)
    if stream is None or not streaming.published(out):
        _collected(config, out, feedback, stream)
    announce(config, "events", out)
    if stream is not None:
        stream.commit(out)
    return out


def _collected(config: Config, out: str, feedback: str, stream: streaming.Stream | None) -> None:
    import polars as pl

    from recloop.data.dataset import ATTRIBUTES

    folded = folded_feedback(config)
    if feedback and relative(feedback) not in folded:
        folded = [*folded, relative(feedback)]
    parts = [opened(absolute(path), kind="feedback") for path in folded]
    with publishing(
        out,
        kind="events",
        parents={f"feedback_{n}": part for n, part in enumerate(parts)},
        config=config.data.model_dump(mode="json") | {"feedback": folded} | _asked(config),
    ) as draft:
        events, items = _gathered(config, draft) if stream is None else _streamed(config, stream, draft)
        newer = [
            privacy.remembered(config, undeleted(config.data, pl.read_parquet(part.path / "events.parquet")))
            for part in parts
        ]
        pl.concat([events, *newer], how="diagonal_relaxed").write_parquet(
            draft.path / "events.parquet", compression_level=1
        )
        items.write_parquet(draft.path / "items.parquet")
        people = attributes(config.data)
        if people is not None:
            privacy.people(config, people).write_parquet(draft.path / ATTRIBUTES)
        draft.metrics["rows"] = events.height + sum(n.height for n in newer)


def _gathered(config: Config, draft: Draft, source: "Source | None" = None) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """What the source holds, as far as it may be stored: events, items."""
    read, items = collected(config.data, cached=not config.privacy.active, source=source)
    return privacy.through_the_door(config, read, draft.path), items


def _streamed(config: Config, stream: streaming.Stream, draft: Draft) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """What came so far."""
    fresh = None if stream.silent else _gathered(config, draft, stream.source)
    return streaming.landed(config, stream, fresh, draft)


def check(*, config: Config, out: str, events: str = "") -> str:
    """events -> checked: bad rows to quarantine with their reason; beyond the suite's allowance the run stops."""
    import polars as pl

    from recloop.data.dataset import ATTRIBUTES
    from recloop.quality.check import judge

    source = opened(events or required(config, "events"), kind="events")
    docs = _docs(config, out)
    allowed, repaired = quarantine.allowed(config), quarantine.repaired(config)
    told = config.quality.model_dump(mode="json") | {"allowed": sorted(allowed), "repaired": repaired}
    told |= {"contract": config.data.contract.model_dump(mode="json")}
    with (
        publishing(out, kind="checked", parents={"events": source}, config=told) as draft,
        _setting_aside(config, docs),
    ):
        checked = judge(
            quarantine.readmitted(config, pl.read_parquet(source.path / "events.parquet")),
            pl.read_parquet(source.path / "items.parquet"),
            config=_quality(config),
            now=datetime.now(UTC),
            seed=config.seed,
            before=_before(config, allowed),
            docs=docs,
            contract=config.data.contract,
        )
        checked.save(draft.path)
        if (source.path / ATTRIBUTES).exists():
            shutil.copyfile(source.path / ATTRIBUTES, draft.path / ATTRIBUTES)
        draft.metrics |= {"rows": checked.events.height, "quarantined": checked.quarantine.height}
    announce(config, "checked", out)
    notifying.breached(config, checked.verdict.breaches)
    return out


def _asked(config: Config) -> dict[str, Any]:
    """What the section privacy asks for, where it asks for anything."""
    return (
        {"privacy": config.privacy.model_dump(mode="json", exclude={"k", "raw_ids"})} if config.privacy.active else {}
    )


def _quality(config: Config) -> "QualityConfig":
    """The section quality; without the watch over days where the source knows only the order of events."""
    from recloop.data.public.catalogue import known

    data = config.data
    ordered = data.source == "sequences" or (data.source == "public" and known(data.events or "").time in UNDATED)
    if not ordered:
        return config.quality
    return config.quality.model_copy(update={"watch": config.quality.watch.model_copy(update={"enabled": False})})


def _before(config: Config, allowed: frozenset[str]) -> "Before":
    """What the newest checked table leaves for this check."""
    from recloop.data.profile import Profile
    from recloop.quality.check import Before
    from recloop.quality.watch.watch import before

    newest = latest(config, "checked")
    if newest is None:
        return Before(allowed=allowed)
    folder = opened(newest, kind="checked").path
    return Before(Profile.load(folder / "profile.json"), before(folder), allowed)


@contextmanager
def _setting_aside(config: Config, docs: Path) -> Iterator[None]:
    """Keep what a failed check refused, so that it can be looked at and repaired."""
    try:
        yield
    except QualityFailed:
        quarantine.set_aside(config, docs.name, docs)
        raise


def data_docs_url() -> str:
    """Where people read the Data Docs: the docs server, or the folder where none runs."""
    return settings().docs or f"file://{settings().folder / 'datadocs'}"


def _docs(config: Config, out: str) -> Path:
    """An empty folder for this run's Data Docs."""
    folder = settings().folder / "datadocs" / config.scenario / out.rsplit("/", 1)[-1]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def folded_feedback(config: Config) -> list[str]:
    """Feedback artefacts (paths in the store) that the newest events already hold."""
    uri = latest(config, "events")
    return [] if uri is None else list(read_manifest(uri, kind="events").config["feedback"])
