"""Shoppers with planted tastes: what they come for, and what they take of what they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recloop.simulator.shop import Shop

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
WEEK = 7


@dataclass(frozen=True)
class Traits:
    """What the shoppers are like; the defaults are a calm shop's."""

    users: int = 500
    seed: int = 1
    concentration: float = 3.0
    """of tastes over groups; small ones are picky"""
    usual: int = 30
    """items that a shopper buys again and again"""
    repeat: float = 0.35
    """share of planned purchases that are of the usual items"""
    examined: float = 0.85
    """chance that who looked at one place looks at the next (position bias)"""
    attraction: float = 0.06
    """chance that a looked-at item of average taste is clicked"""
    conversion: float = 0.5
    """chance that a click becomes a purchase"""
    thrift: float = 0.3
    """how much dearer items of a group are bought less"""
    drift: float = 0.01
    """share of a taste that is replaced a day"""
    churn: float = 0.005
    """chance a day that a shopper never comes again"""
    trends: int = 5
    """items a week that everybody wants ten times as much"""
    bots: float = 0.0
    """share of users that are bots: they buy one item over and over, whatever they are shown"""


@dataclass(frozen=True)
class Shoppers:
    """Everybody, with what nobody but the simulator knows. Each visit draws from its own seed: order changes nothing."""

    shop: Shop
    traits: Traits
    tastes: F64 = field(repr=False)  # [users, groups]
    later: F64 = field(repr=False)  # [users, groups] what tastes drift to
    usual: I64 = field(repr=False)  # [users, usual] places of items
    days_left: I64 = field(repr=False)  # [users] day of the last visit
    dear: F64 = field(repr=False)  # [n] log price within the group

    @property
    def names(self) -> tuple[str, ...]:
        """Ids by user; those of two seeds differ."""
        return tuple(f"sim-{self.traits.seed}-{n}" for n in range(self.traits.users))

    def is_bot(self, user: int) -> bool:
        """The first share of the users are bots."""
        return user < round(self.traits.bots * self.traits.users)

    def wants(self, user: int, day: int) -> F64:
        """Chance of each item to be the next planned purchase. [n]"""
        kept = (1 - self.traits.drift) ** day
        taste = kept * self.tastes[user] + (1 - kept) * self.later[user]
        weight = self.shop.fame * (taste / self.shop.shares)[self.shop.groups] * np.exp(-self.traits.thrift * self.dear)
        weight[self._trending(day)] *= 10
        return np.asarray(weight / weight.sum())

    def visitors(self, day: int) -> I64:
        """Users who come on a day."""
        rng = np.random.default_rng([self.traits.seed, 1, day])
        comes = rng.random(self.traits.users) < self.shop.habits.visits
        return np.flatnonzero(comes & (day <= self.days_left))

    def planned(self, user: int, day: int) -> list[int]:
        """Distinct items that the user comes for."""
        rng = np.random.default_rng([self.traits.seed, 2, day, user])
        if self.is_bot(user):
            return [int(self.usual[0, 0])]
        size = 1 + _over_dispersed(self.shop.habits.basket - 1, self.shop.habits.spread, rng)
        again = rng.binomial(size, self.traits.repeat)
        wants = self.wants(user, day)
        own = wants[self.usual[user]] + 1e-12
        usual = rng.choice(self.usual[user], min(again, len(own)), replace=False, p=own / own.sum())
        other = rng.choice(len(self.shop.items), size - again, p=wants)
        return list(dict.fromkeys([*usual.tolist(), *other.tolist()]))

    def taken(self, user: int, day: int, shown: Sequence[int], *, lift: float = 0.0) -> tuple[list[int], list[int]]:
        """Places of items shown, first to last (-1: unknown to the shop) -> those clicked, and those of them bought.

        A place is looked at with a chance that falls from place to place (Craswell et al. 2008, cascade), clicked by taste.
        lift: by how much more the purchases are, relative: a planted effect.
        """
        if self.is_bot(user) or not len(shown):
            return [], []
        rng = np.random.default_rng([self.traits.seed, 3, day, user])
        places = np.asarray(shown)
        known = np.maximum(places, 0)
        fit = (self.tastes[user] / self.shop.shares)[self.shop.groups[known]] + 2.0 * np.isin(known, self.usual[user])
        looked = rng.random() < self.traits.examined ** np.arange(len(places))
        drawn, bought = rng.random(len(places)), rng.random(len(places))
        clicked = looked & (drawn < np.minimum(self.traits.attraction * fit, 0.9)) & (places >= 0)
        buys = clicked & (bought < self.traits.conversion * (1 + lift))
        return places[clicked].tolist(), places[buys].tolist()

    def _trending(self, day: int) -> I64:
        rng = np.random.default_rng([self.traits.seed, 4, day // WEEK])
        return rng.choice(len(self.shop.items), min(self.traits.trends, len(self.shop.items)), replace=False)


def shoppers(shop: Shop, traits: Traits) -> Shoppers:
    """A shop and traits -> the same people for the same seed."""
    rng = np.random.default_rng([traits.seed, 0])
    prior = traits.concentration * np.maximum(shop.shares, 1e-4)
    tastes, later = (rng.dirichlet(prior, traits.users) for _ in range(2))
    gone = rng.geometric(traits.churn, traits.users) if traits.churn else np.full(traits.users, 2**31)
    usual = np.zeros((traits.users, min(traits.usual, len(shop.items))), dtype=np.int64)
    made = Shoppers(shop, traits, tastes, later, usual, gone.astype(np.int64), _dear(shop))
    for user in range(traits.users):
        weight = made.wants(user, 0) + 1e-12
        usual[user] = rng.choice(len(shop.items), usual.shape[1], replace=False, p=weight / weight.sum())
    return made


def _dear(shop: Shop) -> F64:
    """Log price less its mean over the purchases of the group. [n]"""
    logs = np.log(shop.prices)
    mean = np.bincount(shop.groups, weights=logs * shop.fame) / np.maximum(shop.shares, 1e-12)
    return logs - mean[shop.groups]


def _over_dispersed(mean: float, spread: float, rng: np.random.Generator) -> int:
    """Negative binomial with variance = spread times mean; Poisson where the spread is 1."""
    if mean <= 0:
        return 0
    if spread <= 1.01:
        return int(rng.poisson(mean))
    return int(rng.negative_binomial(mean / (spread - 1), 1 / spread))
