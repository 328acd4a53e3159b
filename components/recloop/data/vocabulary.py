"""Ids and their integer codes: append-only, so a code never changes its meaning."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class Vocabulary:
    """Code c is the id ids[c - 1]; code 0 is padding and 'unknown'."""

    ids: tuple[str, ...]
    codes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", {name: code for code, name in enumerate(self.ids, start=1)})

    def __len__(self) -> int:
        return len(self.ids)

    def grown(self, ids: Iterable[str]) -> "Vocabulary":
        """A vocabulary with the unknown ids appended in the order given; known codes stay."""
        fresh = dict.fromkeys(name for name in ids if name not in self.codes)
        return Vocabulary(self.ids + tuple(fresh))

    def encode(self, ids: pl.Series) -> pl.Series:
        """Text ids -> i32 codes, 0 where unknown."""
        known = ids.cast(pl.Enum(self.ids), strict=False).to_physical()
        return (known.cast(pl.Int32) + 1).fill_null(0)

    def save(self, path: Path) -> None:
        """Write the ids in code order."""
        path.write_text(json.dumps(self.ids))

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote."""
        return cls(tuple(json.loads(path.read_text())))
