"""Groups of people and their sizes -> those that may be shown: k-anonymity (Sweeney, 2002) of what a report tells."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Group = TypeVar("Group", bound=Hashable)


def large_enough(users: Mapping[Group, int], k: int) -> frozenset[Group]:
    """Group -> its users; the groups of k users or more."""
    return frozenset(group for group, size in users.items() if size >= k)
