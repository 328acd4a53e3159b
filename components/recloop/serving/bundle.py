"""A release bundle: model, vocabularies, catalogue and histories in one folder, checked before it serves."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from recloop.columns import Columns
from recloop.data.dataset import Dataset, histories
from recloop.data.histories import Histories
from recloop.data.vocabulary import Vocabulary
from recloop.errors import BadRelease
from recloop.models.family import facts_of
from recloop.models.retrieval_choice import Trial, choose
from recloop.models.router import FILE as ROUTER
from recloop.models.router import UNROUTED, Router
from recloop.models.served import Served

ARRAYS = ("offsets", "items", "times", "prices", "quantities", "discounts", "stores")
WARM = 10
"""items that a first question asks for"""


@dataclass(frozen=True)
class Catalogue:
    """What an answer says of each item code; entry 0 is padding."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    paths: tuple[str, ...]
    categories: NDArray[np.str_]
    """the paths as an array, for filters"""
    brands: tuple[str, ...]


@dataclass(frozen=True)
class Bundle:
    """One release, ready to serve."""

    model: Served
    users: Vocabulary
    items: Vocabulary
    catalogue: Catalogue
    past: Histories
    """of every user code 1..n (row = code - 1), up to `end`"""
    end: int
    """the moment up to which `past` is complete, seconds since the epoch"""
    router: Router = UNROUTED
    """who answers users of whom little is known"""

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "Bundle":
        """Read and check a bundle. Raises BadRelease naming what is wrong."""
        try:
            bundle = cls._read(folder, threads)
            _check(bundle, folder)
        except BadRelease:
            raise
        except Exception as error:
            raise BadRelease(f"The bundle {folder} cannot be read or asked: {type(error).__name__}: {error}") from error
        return bundle

    @classmethod
    def _read(cls, folder: Path, threads: int) -> "Bundle":
        facts = json.loads((folder / "release.json").read_text())
        arrays = load_file(folder / "history.safetensors")
        n = len(arrays["offsets"]) - 1
        arrays.setdefault("stores", np.zeros(len(arrays["items"]), dtype=np.uint8))  # releases older than stores
        return cls(
            model=Served.load(folder / "model", threads=threads),
            users=Vocabulary.load(folder / "users.json"),
            items=Vocabulary.load(folder / "items.json"),
            catalogue=_catalogue(pl.read_parquet(folder / "catalogue.parquet")),
            past=Histories(**arrays, now=np.full(n, facts["end"], dtype=np.int64)),
            end=int(facts["end"]),
            router=Router.load(folder),
        )


def assemble(dataset: Path, model: Path, scorecard: Path, out: Path, *, scenario: str, config: str) -> Trial | None:
    """Dataset, model and scorecard folders -> the files of a bundle in `out`; how its nearest items are found, where any are."""
    data = Dataset.load(dataset)
    shutil.copytree(model, out / "model", ignore=shutil.ignore_patterns("manifest.json"))
    for name in ("users.json", "items.json", "catalogue.parquet"):
        shutil.copyfile(dataset / name, out / name)
    shutil.copyfile(scorecard / "scorecard.json", out / "scorecard.json")
    if (scorecard / ROUTER).exists():
        shutil.copyfile(scorecard / ROUTER, out / ROUTER)
    (out / "config.json").write_text(config)
    known = data.events.filter((pl.col(Columns.ItemCode) > 0) & (pl.col(Columns.UserCode) > 0))
    codes = np.arange(1, len(data.users) + 1, dtype=np.int32)
    past = histories(known, codes, np.full(len(codes), data.split.end))
    save_file({name: np.ascontiguousarray(getattr(past, name)) for name in ARRAYS}, out / "history.safetensors")
    facts = {"scenario": scenario, "end": data.split.end, "learnt_until": data.test.as_of}
    (out / "release.json").write_text(json.dumps(facts, sort_keys=True))
    return _retrieval(out / "model", past)


def _retrieval(model: Path, past: Histories) -> Trial | None:
    """Choose how the items nearest to a state are found, where the model asks for them."""
    facts = facts_of(model)
    return choose(model, past, cap=facts["candidates"]["sasrec"]) if facts.get("sasrec") else None


def _catalogue(table: pl.DataFrame) -> Catalogue:
    def column(name: str) -> tuple[str, ...]:
        return ("", *table[name].fill_null("").to_list())

    return Catalogue(
        ids=column(Columns.Item),
        titles=column(Columns.Title),
        paths=column(Columns.Category),
        categories=np.array(column(Columns.Category), dtype=np.str_),
        brands=column(Columns.Brand),
    )


def _check(bundle: Bundle, folder: Path) -> None:
    """Shapes meet the vocabulary, numbers are finite, a first question is answered. Raises BadRelease."""
    codes = len(bundle.items) + 1
    if codes < 2:
        raise BadRelease(f"{folder}: the vocabulary is empty.")
    if bundle.catalogue.ids[1:] != bundle.items.ids:
        raise BadRelease(f"{folder}: the catalogue does not list the vocabulary's {codes - 1} items in code order.")
    _shapes(bundle, folder, codes)
    _histories(bundle, folder, codes)
    served = bundle.model
    statistics = {f"statistics.{f.name}": getattr(served.statistics, f.name) for f in fields(served.statistics)}
    _finite(served.model.arrays() | {"similarity": served.item_knn.similarity} | statistics, folder)
    _first_answer(bundle, folder)


def _shapes(bundle: Bundle, folder: Path, codes: int) -> None:
    served = bundle.model
    sizes = {
        "statistics": len(served.statistics),
        "item_knn": served.item_knn.n_codes,
        served.kind: served.model.n_codes,
    }
    sizes |= {name: len(values) for name, values in served.model.arrays().items()}
    wrong = {name: size for name, size in sizes.items() if size != codes}
    if wrong:
        raise BadRelease(
            f"{folder}: the vocabulary has {codes - 1} items, but {wrong} (with padding) differ from {codes}."
        )
    strange = _outside(served.item_knn.neighbours, 0, codes)
    if strange:
        raise BadRelease(f"{folder}: {strange} neighbours are no item of the vocabulary.")


def _histories(bundle: Bundle, folder: Path, codes: int) -> None:
    past = bundle.past
    if len(past) != len(bundle.users):
        raise BadRelease(f"{folder}: {len(past)} histories for {len(bundle.users)} users.")
    lengths = {len(getattr(past, name)) for name in ARRAYS[1:]}
    if lengths != {int(past.offsets[-1])} or (np.diff(past.offsets) < 0).any() or past.offsets[0]:
        raise BadRelease(f"{folder}: the histories' {past.offsets[-1]} events do not fit arrays of {sorted(lengths)}.")
    strange = _outside(past.items, 1, codes)
    if strange:
        raise BadRelease(f"{folder}: {strange} of {len(past.items)} events are of no item of the vocabulary.")
    # the first event of a row may be older than the last one of the row before
    back = (np.diff(past.times) < 0) & (np.diff(past.rows) == 0)
    if back.any() or (past.times >= bundle.end).any():
        raise BadRelease(f"{folder}: {int(back.sum())} events are out of order, or events lie after the end.")
    _finite({name: getattr(past, name) for name in ("prices", "quantities", "discounts")}, folder)


def _outside(codes: NDArray[np.int32], first: int, end: int) -> int:
    """How many codes are not in first:end."""
    return int(((codes < first) | (codes >= end)).sum())


def _finite(arrays: Mapping[str, NDArray[Any]], folder: Path) -> None:
    for name, values in arrays.items():
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise BadRelease(f"{folder}: {bad} of {values.size} {name} are not finite numbers.")


def _first_answer(bundle: Bundle, folder: Path) -> None:
    """Some known users and a stranger, who gets what sold of late."""
    sold = int((bundle.model.statistics.pop28[1:] > 0).sum())
    some = bundle.past.part(0, min(4, len(bundle.past)))
    for name, question, least in (
        ("known users", some, 1),
        ("an unknown user", _nobody(bundle), max(1, min(WARM, sold))),
    ):
        found = bundle.model.recommend(question, k=WARM)
        real = found.items > 0
        fewest = int(real.sum(axis=1).min(initial=WARM))
        if fewest < least:
            raise BadRelease(f"{folder}: the first question for {name} got {fewest} of at least {least} items.")
        if not np.isfinite(found.scores[real]).all():
            raise BadRelease(f"{folder}: the first question for {name} got scores that are not finite numbers.")


def _nobody(bundle: Bundle) -> Histories:
    none = bundle.past.part(0, 0)
    return replace(none, offsets=np.zeros(2, dtype=np.int64), now=np.array([bundle.end], dtype=np.int64))
