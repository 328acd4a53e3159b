"""Who gets what: sticky, by a salted hash of the user, the same on every machine and after every restart."""

import hashlib
from collections.abc import Sequence

from recloop.evaluation.experiments.design import HOLDOUT, Running, Variant


def point(user: str, salt: str) -> float:
    """User -> a number in [0, 1) that looks random and differs from salt to salt."""
    digest = hashlib.blake2b(f"{salt}\0{user}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def held_out(user: str, share: float) -> bool:
    """Whether the user belongs to the group that no experiment ever touches."""
    return point(user, HOLDOUT) < share


def variant_of(running: Running, user: str) -> Variant | None:
    """The user's variant; None for who is outside the experiment's part of its layer.

    One layer is one salt: experiments of a layer hold parts that do not overlap, those of two layers cross at random
    (Tang et al. 2010, "Overlapping experiment infrastructure").
    """
    low, high = running.part
    if not low <= point(user, running.design.layer) < high:
        return None
    return _by_share(running.design.variants, point(user, running.salt))


def _by_share(variants: Sequence[Variant], at: float) -> Variant:
    total, bound = sum(variant.share for variant in variants), 0.0
    for variant in variants:
        bound += variant.share / total
        if at < bound:
            return variant
    return variants[-1]
