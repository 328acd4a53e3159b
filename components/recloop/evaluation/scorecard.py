"""The scorecard: every model beside every other on one protocol, with intervals, slices and one value a user."""

import json
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.config import EvaluationConfig
from recloop.data.truth import Truth
from recloop.evaluation import intervals
from recloop.evaluation.calibration import Bin
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.metrics import PER_USER, of_catalogue, per_user
from recloop.evaluation.protocol import Protocol, same
from recloop.models.ranked import Ranked
from recloop.privacy.groups import large_enough

F64 = NDArray[np.float64]
Names = tuple[str, ...]
Values = dict[str, dict[str, dict[str, F64]]]
"""model -> view -> metric -> one value a user"""
VIEWS = ("all", "new")
MODEL, CHAMPION = "model", "champion"
DAYS_SEEN = "test_days_seen"
"""fact: days of the test window that the model's own statistics saw"""


@dataclass(frozen=True)
class Scorecard:
    """Figures of several models on one protocol.

    models: name -> view (all, new) -> metric -> Estimate. differences: rival -> view -> Estimate of model - rival on
    `metric`. slices: name of the slice -> rival -> the same on its users, MODEL -> its own value there. facts: plain figures
    (auc, log_loss, ...).
    """

    protocol: Protocol
    users: int
    models: dict[str, dict[str, dict[str, Estimate]]]
    differences: dict[str, dict[str, Estimate]]
    slices: dict[str, dict[str, Estimate]]
    facts: dict[str, float]
    item_slices: tuple[str, ...] = ()
    """slices of items; the others are of users"""
    champion: str | None = None
    """digest of the release that CHAMPION was"""
    confidence: float = 0.95
    """of every interval"""
    metric: str = ""
    """of differences and slices"""
    calibration: tuple[Bin, ...] = ()
    """what the model said of the items that it shows, against what was taken"""
    withheld: tuple[str, ...] = ()
    """slices that are not told, because too few users are in them"""

    def of_groups(self, k: int) -> "Scorecard":
        """The same without the figures of slices of fewer than k users; their names are told as withheld."""
        shown = large_enough({name: by[MODEL].n for name, by in self.slices.items()}, k)
        return replace(
            self,
            slices={name: by for name, by in self.slices.items() if name in shown},
            item_slices=tuple(name for name in self.item_slices if name in shown),
            withheld=tuple(sorted({*self.withheld, *self.slices.keys() - shown})),
        )

    def flat(self) -> dict[str, float]:
        """Finite figures under names like model.all.ndcg, with .low and .high beside them, for a tracker."""
        found = dict(self.facts)
        for name, views in self.models.items():
            for view, metrics in views.items():
                for metric, e in metrics.items():
                    found |= {f"{name}.{view}.{metric}": e.value}
                    if e.low < e.high:
                        found |= {f"{name}.{view}.{metric}.low": e.low, f"{name}.{view}.{metric}.high": e.high}
        return {k: v for k, v in found.items() if np.isfinite(v)}

    def dumps(self) -> str:
        """Deterministic JSON."""
        raw = asdict(self) | {"protocol_hash": self.protocol.hash}
        return json.dumps(_plain(raw), sort_keys=True, indent=1, allow_nan=False)

    def save(self, folder: Path) -> None:
        """Write scorecard.json."""
        (folder / "scorecard.json").write_text(self.dumps())

    @classmethod
    def load(cls, folder: Path) -> "Scorecard":
        """Read what `save` wrote. Raises BadData where the figures are not of the protocol that they name."""
        raw = json.loads((folder / "scorecard.json").read_text())
        protocol = Protocol(**raw["protocol"])
        same(protocol.hash, raw.pop("protocol_hash"))
        return cls(
            **(
                raw
                | {"protocol": protocol, "item_slices": tuple(raw["item_slices"])}
                | {"withheld": tuple(raw.get("withheld", ()))}
                | {"calibration": tuple(Bin(**b) for b in raw.get("calibration", ()))}
                | {k: _estimates(raw[k]) for k in ("models", "differences", "slices")}
            )
        )


def _plain(value: Any) -> Any:
    """Nested containers with null for nan, which JSON does not know."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _estimates(leaf: Any) -> Any:
    """Nested dictionaries -> the same with Estimate at their leaves."""
    if set(leaf) == {"value", "low", "high", "n"}:
        value, low, high = (np.nan if leaf[k] is None else leaf[k] for k in ("value", "low", "high"))
        return Estimate(value, low, high, leaf["n"])
    return {k: _estimates(v) for k, v in leaf.items()}


@dataclass(frozen=True)
class Slices:
    """Groups of users and of items on which a model may not be worse."""

    users: dict[str, NDArray[np.bool_]]  # name -> [n_users of the truth]
    items: dict[str, NDArray[np.bool_]]  # name -> [n_codes], code 0 in none


def score(
    ranked: dict[str, dict[str, Ranked]],
    truth: Truth,
    *,
    popularity: NDArray[np.float32],
    slices: Slices,
    protocol: Protocol,
    config: EvaluationConfig,
    metric: str,
    seed: int,
    facts: dict[str, float],
    champion: str | None = None,
    calibration: tuple[Bin, ...] = (),
) -> tuple[Scorecard, pl.DataFrame]:
    """Lists of each model (name -> view -> Ranked, rows as in the truth) -> Scorecard, and one row a user, model and view."""
    values = {name: {view: _values(lists[view], truth, view) for view in VIEWS} for name, lists in ranked.items()}
    columns = _columns(values, metric) | _slice_columns(ranked, values, truth, slices, metric)
    found = intervals.means(
        np.stack(list(columns.values()), axis=1), times=config.bootstrap, confidence=config.confidence, seed=seed
    )
    tree = _nested(dict(zip(columns, found, strict=True)))
    for name, view in product(ranked, VIEWS):
        tree["models"][name][view] |= _catalogue(ranked[name][view], popularity)
    card = Scorecard(
        protocol=protocol,
        users=len(truth),
        models=tree["models"],
        differences=tree.get("differences", {}),
        slices=tree.get("slices", {}),
        facts=facts,
        item_slices=tuple(sorted(slices.items)),
        champion=champion,
        confidence=config.confidence,
        metric=metric,
        calibration=calibration,
    )
    return card, _table(values, truth)


def _values(ranked: Ranked, truth: Truth, view: str, kept: NDArray[np.bool_] | None = None) -> dict[str, F64]:
    wanted = truth.new.copy() if view == "new" else np.ones(len(truth.items), dtype=bool)
    if kept is not None:
        wanted &= kept
    return per_user(ranked.items, truth.rows[wanted], truth.items[wanted], truth.spend[wanted])


def _catalogue(ranked: Ranked, popularity: NDArray[np.float32]) -> dict[str, Estimate]:
    found = of_catalogue(ranked.items, popularity)
    return {metric: Estimate(v, v, v, len(ranked.items)) for metric, v in found.items()}


def _columns(values: Values, metric: str) -> dict[Names, F64]:
    """One value a user of every metric, and of the model minus each rival."""
    columns: dict[Names, F64] = {
        ("models", name, view, m): values[name][view][m] for name, view, m in product(values, VIEWS, PER_USER)
    }
    own = values[MODEL]
    return columns | {
        ("differences", rival, view): own[view][metric] - values[rival][view][metric]
        for rival, view in product(values, VIEWS)
        if rival != MODEL
    }


def _slice_columns(
    ranked: dict[str, dict[str, Ranked]], values: Values, truth: Truth, slices: Slices, metric: str
) -> dict[Names, F64]:
    """The same on the users of a slice, or on the items of a slice as the only answers; under MODEL its own values."""
    columns: dict[Names, F64] = {}
    for name, users in slices.users.items():
        own = {m: np.where(users, values[m]["all"][metric], np.nan) for m in ranked}
        columns |= {("slices", name, m): own[m] if m == MODEL else own[MODEL] - own[m] for m in ranked}
    for name, items in slices.items.items():
        kept = items[truth.items]
        own = {m: _values(ranked[m]["all"], truth, "all", kept)[metric] for m in ranked}
        columns |= {("slices", name, m): own[m] if m == MODEL else own[MODEL] - own[m] for m in ranked}
    return columns


def _nested(leaves: dict[Names, Estimate]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, leaf in leaves.items():
        at = tree
        for name in path[:-1]:
            at = at.setdefault(name, {})
        at[path[-1]] = leaf
    return tree


def _table(values: dict[str, dict[str, dict[str, F64]]], truth: Truth) -> pl.DataFrame:
    parts = [
        pl.DataFrame({"user": truth.users, **metrics}).with_columns(model=pl.lit(name), view=pl.lit(view))
        for name, views in values.items()
        for view, metrics in views.items()
    ]
    return pl.concat(parts)
