"""A tiny SASRec fit, for tests; run as a program it fits in a process of its own, which can be killed or be one of two."""

import os
import signal
import sys
from pathlib import Path

import numpy as np

from recloop.config import SASRecConfig, TrainerConfig
from recloop.data.histories import Histories
from recloop.models.sasrec_fit import fit_sasrec

N_CODES = 31
CONFIG = SASRecConfig(dim=8, blocks=1, heads=2, length=6, horizon=3, dropout=0.3, negatives=12, batch=8, epochs=3)


def histories_of(*rows: list[int]) -> Histories:
    """Item codes of each user -> Histories, one event an hour."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    events = int(lengths.sum())
    return Histories(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        items=np.array([item for row in rows for item in row], dtype=np.int32),
        times=np.array([3600 * n for row in rows for n in range(len(row))], dtype=np.int64),
        prices=np.ones(events, dtype=np.float32),
        quantities=np.ones(events, dtype=np.float32),
        discounts=np.zeros(events, dtype=np.float32),
        stores=np.zeros(events, dtype=np.uint8),
        now=np.full(len(rows), 10**6, dtype=np.int64),
    )


def walks(users: int = 60, *, codes: int = N_CODES, seed: int = 1) -> Histories:
    """Users who go round the catalogue, each from a start and with a stride of their own."""
    rng = np.random.default_rng(seed)
    starts, strides, lengths = rng.integers(0, codes, users), rng.integers(1, 4, users), rng.integers(2, 15, users)
    rows = zip(starts, strides, lengths, strict=True)
    return histories_of(*(((a + b * np.arange(c)) % (codes - 1) + 1).tolist() for a, b, c in rows))


def fit(
    out: Path,
    work: Path,
    *,
    config: SASRecConfig = CONFIG,
    warm: Path | None = None,
    kill_at: float = 2.0,
    devices: int = 1,
    histories: Histories | None = None,
    n_codes: int = N_CODES,
) -> dict[str, float]:
    """Fit on `walks` into `out`, with a checkpoint after every step; SIGKILL itself at a share of the steps."""
    out.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)

    def progress(_: str, share: float) -> None:
        if share >= kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return fit_sasrec(
        histories or walks(),
        n_codes=n_codes,
        config=config,
        trainer=TrainerConfig(
            threads=1, checkpoint_seconds=1e-9, devices=devices, strategy="ddp" if devices > 1 else "auto"
        ),
        seed=5,
        out=out,
        work=work,
        warm=warm,
        progress=progress,
    )


if __name__ == "__main__":
    folder, kill, processes = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    dropout = 0.0 if processes > 1 else CONFIG.dropout
    rank = os.environ.get("LOCAL_RANK", "0")
    fit(
        folder / rank,
        folder / "work",
        config=CONFIG.model_copy(update={"dropout": dropout}),
        kill_at=kill,
        devices=processes,
    )
