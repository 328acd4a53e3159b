"""Sections of a configuration -> the text of its YAML, the doubts as comments above it."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

WIDTH = 110


def written(scenario: str, sections: Mapping[str, Mapping[str, Any]], doubts: Iterable[str]) -> str:
    """Scenario and sections -> YAML."""
    body = {"scenario": scenario} | {name: dict(section) for name, section in sections.items() if section}
    comments = "".join(f"# {line}\n" for line in ("Doubtful, see whether it is right:", *_listed(doubts)))
    parts = [yaml.safe_dump({key: value}, sort_keys=False, width=WIDTH) for key, value in body.items()]
    return (comments if doubts else "") + "\n".join(parts)


def _listed(doubts: Iterable[str]) -> list[str]:
    return [f"- {' '.join(doubt.split())}" for doubt in doubts]
