"""Named arrays -> a safetensors file, whatever their layout in memory."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file


def save(arrays: Mapping[str, NDArray[np.generic]], path: Path) -> None:
    """Write arrays row by row: safetensors writes the bytes of a transposed one as they lie, which reads as another."""
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
