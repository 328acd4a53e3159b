"""A tiny fit of the ranker, for tests; run as a program it fits in a process of its own, which can be killed or be one of two."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from recloop.config import RankerConfig, TrainerConfig
from recloop.models.ranker import Examples, fit_ranker

CONFIG = RankerConfig(hidden=(8, 4), batch=51, epochs=3, warm_epochs=1, lr=0.02)
FEATURES = 5


def examples(pairs: int = 400, *, seed: int = 2) -> Examples:
    """Pairs that are taken more often the greater their first feature is; half of them are new to their user."""
    rng = np.random.default_rng(seed)
    features = rng.normal(3.0, 2.0, (pairs, FEATURES)).astype(np.float32)
    labels = (features[:, 0] + rng.normal(0, 1, pairs) > 4).astype(np.float32)
    unseen = rng.random(pairs) < 0.5
    return Examples(features, labels, unseen, np.arange(pairs, dtype=np.int64) // 10, 3 * labels)


def fit(
    out: Path,
    work: Path,
    *,
    config: RankerConfig = CONFIG,
    made: Examples | None = None,
    warm: Path | None = None,
    devices: int = 1,
    progress: Callable[[str, float], None] | None = None,
    context: Sequence[int] = (),
) -> dict[str, float]:
    """Fit into `out`, with a checkpoint after every step."""
    out.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    strategy = "ddp" if devices > 1 else "auto"
    trainer = TrainerConfig(threads=1, checkpoint_seconds=1e-9, devices=devices, strategy=strategy)
    return fit_ranker(
        examples() if made is None else made,
        config=config,
        trainer=trainer,
        seed=5,
        out=out,
        work=work,
        warm=warm,
        progress=progress,
        context=context,
    )


def killed_at(kill_at: float) -> Callable[[str, float], None]:
    """A progress that ends its own process at a share of the steps."""

    def tell(_: str, share: float) -> None:
        if share >= kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return tell


if __name__ == "__main__":
    folder, kill, processes = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    place = folder / os.environ.get("LOCAL_RANK", "0")
    fit(place, folder / "work", devices=processes, progress=killed_at(kill))
