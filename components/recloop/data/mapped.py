"""Histories on disk: arrays are mapped, so that memory holds only the pages that are being read."""

import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from recloop.data.histories import Histories

NAMES = tuple(field.name for field in fields(Histories))


def mapped(histories: Histories, folder: Path) -> Histories:
    """Write each array into a new folder in `folder` -> the same histories, read from there as they are needed."""
    # several processes may share the folder, and a file must not change below the one that maps it
    place = Path(tempfile.mkdtemp(prefix="histories-", dir=folder))
    for name in NAMES:
        np.save(place / f"{name}.npy", getattr(histories, name))
    return Histories(**{name: np.load(place / f"{name}.npy", mmap_mode="r") for name in NAMES})
