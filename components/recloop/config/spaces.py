"""Where the settings of a kind are looked for when they are tuned: a range a setting, beside the sections in model.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Real:
    """A number between two; log: even in its logarithm."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Whole:
    """A whole number between two, both included."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a few."""

    options: tuple[float | int | bool | str, ...]


Space = dict[str, Real | Whole | Choice]
"""setting below `model`, such as sasrec.dim -> where it is looked for"""

SEQUENCE: Space = {
    "dim": Choice((32, 64, 128)),
    "blocks": Whole(1, 3),
    "heads": Choice((1, 2, 4)),
    "dropout": Real(0.0, 0.6),
    "negatives": Whole(128, 2048, log=True),
    "lr": Real(3e-4, 1e-2, log=True),
}
BLOCK = Choice(("plain", "gated"))
NCF: Space = {
    "factors": Whole(8, 256, log=True),
    "negatives": Real(1.0, 16.0, log=True),
    "lr": Real(3e-4, 1e-2, log=True),
    "l2": Real(1e-6, 1e-1, log=True),
    "init": Real(1e-3, 0.3, log=True),
}


def _below(section: str, space: Space) -> Space:
    return {f"{section}.{name}": where for name, where in space.items()}


SPACES: dict[str, Space] = {
    "item_to_item": {
        "item_to_item.window": Whole(1, 30, log=True),
        "item_to_item.back": Real(0.0, 1.0),
        "item_to_item.history": Whole(1, 50, log=True),
        "item_to_item.decay": Real(0.3, 1.0),
        "item_to_item.gain": Real(0.0, 10.0),
    },
    "ease": {"ease.l2": Real(10.0, 5000.0, log=True), "ease.decay": Real(0.5, 1.0)},
    "als": {
        "als.dim": Whole(16, 256, log=True),
        "als.l2": Real(1e-4, 1.0, log=True),
        "als.alpha": Real(0.5, 100.0, log=True),
        "als.rounds": Whole(5, 30),
    },
    "sasrec": _below("sasrec", SEQUENCE | {"block": BLOCK, "horizon": Whole(1, 100, log=True)}),
    "bert4rec": _below("bert4rec", SEQUENCE | {"block": BLOCK, "mask_share": Real(0.1, 0.6)}),
    "hstu": _below("hstu", SEQUENCE),
    "mf": _below("mf", NCF),
    "gmf": _below("gmf", NCF),
    "mlp": _below("mlp", NCF),
    "neumf": _below("neumf", NCF),
    "two_tower": _below(
        "two_tower",
        {
            "dim": Choice((32, 64, 128)),
            "temperature": Real(0.02, 0.3, log=True),
            "dropout": Real(0.0, 0.5),
            "negatives": Whole(128, 2048, log=True),
            "lr": Real(3e-4, 1e-2, log=True),
            "epochs": Whole(2, 20, log=True),
        },
    ),
    "two_stage": {
        "sasrec.lr": Real(3e-4, 1e-2, log=True),
        "sasrec.horizon": Whole(1, 100, log=True),
        "candidates.half_life_days": Real(7.0, 180.0, log=True),
        "ranker.lr": Real(3e-4, 1e-2, log=True),
        "ranker.epochs": Whole(1, 6),
        "ranker.unseen_share": Real(0.1, 1.0),
        "ranker.new_weight": Real(0.5, 5.0),
    },
    "din": _below("din", {"dim": Choice((8, 16, 32)), "dropout": Real(0.0, 0.5), "lr": Real(3e-4, 1e-2, log=True)}),
    "multi_task": {
        "multi_task.experts": Whole(2, 8),
        "multi_task.lr": Real(3e-4, 1e-2, log=True),
        "multi_task.new_value": Real(0.0, 2.0),
        "multi_task.epochs": Whole(1, 6),
    },
}
"""kind -> its space; a kind without one has nothing to tune"""
