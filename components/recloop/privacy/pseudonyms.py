"""Ids -> pseudonyms: keyed hashes that only the holder of the key can make, the same one for the same id each time."""

import hashlib
from base64 import b64encode

import numpy as np
import pandas as pd
import polars as pl

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
    texts = known.to_numpy().astype(np.object_)
    halves = (pd.util.hash_array(texts, hash_key=key, categorize=False) for key in keys)
    return ids.replace_strict(known, hexed(*halves), return_dtype=pl.String())


def pseudonym(id_: str, keys: Keys) -> str:
    """One id -> its pseudonym."""
    return str(pseudonyms(pl.Series([id_], dtype=pl.String()), keys)[0])
