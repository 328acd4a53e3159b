"""A made-up log of purchases of any size, written to disk a part at a time."""

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from recloop.data.histories import Histories
from recloop.data.mapped import NAMES

PER_USER, PART = 20, 1 << 20
KINDS = {"items": np.int32, "times": np.int64, "stores": np.uint8}
KINDS |= dict.fromkeys(("prices", "quantities", "discounts"), np.float32)


def write(folder, events, items, seed=1):
    """`events` of users with PER_USER each over `items`; what is popular follows a power law, and neighbours go together."""
    rng, users = np.random.default_rng(seed), events // PER_USER
    arrays = {n: open_memmap(folder / f"{n}.npy", "w+", kind, (users * PER_USER,)) for n, kind in KINDS.items()}
    for start in range(0, users, PART // PER_USER):
        count = min(PART // PER_USER, users - start)
        at = slice(start * PER_USER, (start + count) * PER_USER)
        arrays["items"][at] = drawn(rng, count, items).ravel()
        arrays["times"][at] = np.tile(np.arange(PER_USER) * 86_400, count)
        arrays["quantities"][at] = 1
    np.save(folder / "offsets.npy", np.arange(users + 1, dtype=np.int64) * PER_USER)
    np.save(folder / "now.npy", np.full(users, PER_USER * 86_400, dtype=np.int64))


def drawn(rng, users, items) -> NDArray[np.int64]:
    """Item codes of some users: half of the steps go to a near code, the rest anywhere by fame. [users, PER_USER]"""
    fame = np.minimum((rng.pareto(0.8, (users, PER_USER)) * items / 1000).astype(np.int64), items - 1)
    near = fame[:, :1] + rng.integers(0, 50, (users, PER_USER))
    return np.where(rng.random((users, PER_USER)) < 0.5, near, fame) % items + 1


def opened(folder) -> Histories:
    """What `write` wrote, mapped."""
    return Histories(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES})
