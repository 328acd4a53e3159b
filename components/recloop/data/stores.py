"""Codes of stores without a vocabulary, so that a store opened after the fit has one too (Weinberger et al. 2009)."""

from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

STORES = 256
"""codes; stores of one code cannot be told apart"""


def store_code(name: str | None) -> int:
    """Name of a shop, site or device -> a code from 1; 0 where it is not known."""
    return 1 + crc32(name.encode()) % (STORES - 1) if name else 0


def store_codes(names: pl.Series) -> NDArray[np.uint8]:
    """Names -> their codes; each distinct one is hashed once. [n]"""
    if names.null_count() == len(names):
        return np.zeros(len(names), dtype=np.uint8)
    distinct = names.unique()
    codes = [store_code(name) for name in distinct]
    return names.replace_strict(distinct, codes, return_dtype=pl.UInt8).to_numpy()
