"""What a command about models is asked: a scenario, or a file and a few settings -> a configuration and its datasets."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from recloop.config import Config, parse
from recloop.errors import BadConfig, BadData
from recloop_pipelines.settings import settings
from recloop_pipelines.source import collected
from recloop_pipelines.yamls import mapping

if TYPE_CHECKING:
    from recloop.data.dataset import Dataset

SOURCES = {"sequences": "sequences", "interactions": "table"}
"""--format -> data.source"""
PUBLISHED = {"kind": "leave_last_out", "min_item_events": 1}
"""how files of sequences are split where nothing else is said"""
SECTIONS = ("data", "split", "model", "trainer", "evaluation", "quality")
OF_SECTIONS = f"of sections ({', '.join(SECTIONS)})"


def configured(data: str, *, format_: str = "", overlay: Path | None = None, sets: Iterable[str] = ()) -> Config:
    """A scenario's name or YAML, or a file of data; a YAML with sections laid over it, then key=value -> Config.

    Raises BadConfig that names every wrong key, or what --data may be.
    """
    raw = _raw(data, format_)
    if overlay is not None:
        raw = laid(raw, {k: v for k, v in mapping(overlay, OF_SECTIONS).items() if k in (*SECTIONS, "seed", "title")})
    for word in sets:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise BadConfig(f"--set {word!r} is not key=value, such as --set model.sasrec.epochs=3.")
        raw = laid(raw, nested(key.split("."), yaml.safe_load(value)))
    return parse(raw, name=f"--data {data}")


def _raw(data: str, format_: str) -> dict[str, Any]:
    if format_ and format_ not in SOURCES:
        raise BadConfig(f"--format {format_!r} is none of {', '.join(SOURCES)}.")
    path, scenario = Path(data), settings().configs / f"{data}.yaml"
    if path.suffix in {".yaml", ".yml"} or (scenario.exists() and not path.is_file()):
        return mapping(path if path.suffix in {".yaml", ".yml"} else scenario, OF_SECTIONS)
    if not path.exists() and "://" not in data:
        return _public(data)
    source = SOURCES[format_] if format_ else "sequences" if path.suffix == ".txt" else "table"
    raw: dict[str, Any] = {"scenario": _slug(path.stem), "data": {"source": source, "events": str(data)}}
    return raw | ({"split": PUBLISHED} if source == "sequences" else {})


def _public(name: str) -> dict[str, Any]:
    """A public set by its name. Raises BadConfig where nothing has that name."""
    from recloop.data.public.catalogue import sections

    try:
        return {"scenario": _slug(name)} | sections(name)
    except BadData as error:
        scenarios = ", ".join(sorted(p.stem for p in settings().configs.glob("*.yaml"))) or "none"
        raise BadConfig(
            f"--data {name}: there is no such file, and no such scenario; {settings().configs} holds: {scenarios}. {error}"
        ) from error


def _slug(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (words if words[:1].isalpha() else f"set-{words}")[:40].strip("-")


def laid(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings -> the second laid over the first."""
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        out[key] = laid(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def nested(names: list[str], value: Any) -> dict[str, Any]:
    """Names from the outermost, and a value -> nested mappings."""
    return {names[0]: value if len(names) == 1 else nested(names[1:], value)}


def named(models: Iterable[str]) -> dict[str, str]:
    """Words `kind` or `name=kind` -> name: kind. Raises BadConfig that lists the family."""
    from recloop.models.family import FAMILY

    found = {}
    for word in models:
        name, _, kind = word.partition("=")
        found[_slug(name).replace("-", "_") if kind else name] = kind or name
    unknown = sorted({kind for kind in found.values() if kind not in FAMILY})
    if unknown or not found:
        raise BadConfig(
            f"--models: {', '.join(unknown) or 'none'} is no kind of model; known are {', '.join(sorted(FAMILY))}."
        )
    return found


def metric_of(name: str) -> str:
    """The name of a metric of a user. Raises BadConfig that lists them."""
    from recloop.evaluation.lists import PER_LIST
    from recloop.evaluation.metrics import PER_USER

    if name not in (*PER_USER, *PER_LIST):
        raise BadConfig(f"--metric {name!r} is none of {', '.join((*PER_USER, *PER_LIST))}.")
    return name


def dataset_of(config: Config, *, protocol: str, folds: int) -> tuple["Dataset", ...]:
    """The data of a configuration, bad rows left out -> a dataset a fold."""
    from recloop.data.events import reject
    from recloop.evaluation.folds import folds as split

    read, items = collected(config.data)
    events, refused = reject(read, items, config=config.quality, now=datetime.now(UTC))
    if refused.height > config.quality.max_bad_share * max(read.height, 1):
        raise BadData(
            f"{refused.height:,} of {read.height:,} rows are bad, and quality.max_bad_share is {config.quality.max_bad_share}. "
            "See why with `recloop doctor`, or allow more: --set quality.max_bad_share=1."
        )
    return split(events, items, config.split, protocol=protocol, count=folds)
