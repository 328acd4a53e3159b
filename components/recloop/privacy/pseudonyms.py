"""Ids -> pseudonyms: keyed hashes that only the holder of the key can make, the same one for the same id each time."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from recloop.data.identity import hexed
from recloop.errors import BadConfig

SHORTEST = 16
"""characters of a secret"""
HALVES = ("pseudonym-a", "pseudonym-b")

Keys = tuple[str, str]


def keys(secret: str) -> Keys:
    """Secret -> two keys of SipHash, 96 bits each. Raises BadConfig where the secret is too short."""
    if len(secret) < SHORTEST:
        raise BadConfig(
            f"The privacy key has {len(secret)} characters; it needs {SHORTEST}. Make one and keep it outside the store: "
            "export RECLOOP_PRIVACY_KEY=$(openssl rand -hex 32)"
        )
    first, second = (b64encode(hashlib.sha256(f"{half} {secret}".encode()).digest()).decode()[:16] for half in HALVES)
    return first, second


def pseudonyms(ids: pl.Series, keys: Keys) -> pl.Series:
    """Text ids -> 32 hex digits each; null stays null."""
    known = ids.drop_nulls().unique()
    if known.is_empty():
        return ids
    return ids.replace_strict(known, _hashed(known.to_numpy().astype(np.object_), keys), return_dtype=pl.String())


def pseudonym(id_: str, keys: Keys) -> str:
    """One id -> its pseudonym."""
    return pseudonyms_of([id_], keys)[0]


def pseudonyms_of(ids: Sequence[str], keys: Keys) -> list[str]:
    """A few ids -> their pseudonyms, without the steps that pay for many."""
    return list(_hashed(np.array(ids, dtype=np.object_), keys)) if ids else []


def _hashed(texts: NDArray[np.object_], keys: Keys) -> pl.Series:
    return hexed(*(pd.util.hash_array(texts, hash_key=key, categorize=False) for key in keys))
