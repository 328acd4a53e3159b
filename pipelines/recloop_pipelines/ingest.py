"""events -> checked: what the source and the feedback brought, judged by the suite."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from recloop.artifacts import publishing, read_manifest
from recloop.config import Config
from recloop_pipelines.places import absolute, announce, latest, relative, required
from recloop_pipelines.settings import opened, settings


def collect(*, config: Config, out: str, feedback: str = "") -> str:
    """source, feedback -> events: the canonical table with everything the loop has learnt so far."""
    import polars as pl

    from recloop.data.sources.collect import collect as read

    folded = folded_feedback(config)
    if feedback and relative(feedback) not in folded:
        folded = [*folded, relative(feedback)]
    parts = [opened(absolute(path), kind="feedback") for path in folded]
    with publishing(
        out,
        kind="events",
        parents={f"feedback_{n}": part for n, part in enumerate(parts)},
        config=config.data.model_dump(mode="json") | {"feedback": folded},
    ) as draft:
        events, items = read(config.data, folder=settings().sets)
        newer = [pl.read_parquet(part.path / "events.parquet") for part in parts]
        pl.concat([events, *newer], how="diagonal_relaxed").write_parquet(draft.path / "events.parquet")
        items.write_parquet(draft.path / "items.parquet")
        draft.metrics["rows"] = events.height + sum(n.height for n in newer)
    announce(config, "events", out)
    return out


def check(*, config: Config, out: str, events: str = "") -> str:
    """events -> checked: bad rows to quarantine with their reason; beyond the suite's allowance the run stops."""
    import polars as pl

    from recloop.data.profile import Profile
    from recloop.quality.check import judge

    source = opened(events or required(config, "events"), kind="events")
    before = latest(config, "checked")
    previous = Profile.load(opened(before, kind="checked").path / "profile.json") if before else None
    docs = _docs(config, out)
    with publishing(
        out, kind="checked", parents={"events": source}, config=config.quality.model_dump(mode="json")
    ) as draft:
        checked = judge(
            pl.read_parquet(source.path / "events.parquet"),
            pl.read_parquet(source.path / "items.parquet"),
            config=config.quality,
            now=datetime.now(UTC),
            seed=config.seed,
            previous=previous,
            docs=docs,
        )
        checked.save(draft.path)
        draft.metrics |= {"rows": checked.events.height, "quarantined": checked.quarantine.height}
    announce(config, "checked", out)
    return out


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
