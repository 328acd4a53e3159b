"""Rules and a release -> masks of item codes: done once, so that a request only combines them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recloop.config.expressions import evaluated
from recloop.config.merchandising import Boost, Promotion, Rule, RulesConfig, Tag, When
from recloop.serving.bundle import Bundle
from recloop.serving.rules.occasion import Occasion, applies
from recloop.serving.shelves import Shelves

Mask = NDArray[np.bool_]
VIEWS = 64
"""combinations of rules whose masks are kept"""


@dataclass(frozen=True)
class Permitted:
    """What the rules leave of the catalogue on one occasion."""

    mask: Mask  # [n_codes]
    filtered: Mapping[str, int]
    """items that each rule keeps out, by the rule's name"""


@dataclass(frozen=True)
class Selected:
    """A rule and the item codes that it is about. mask [n_codes]"""

    name: str
    when: When
    mask: Mask


class Compiled:
    """The rules of one release, with the legal blocks that are fixed beside them."""

    def __init__(self, rules: RulesConfig, fixed: RulesConfig, bundle: Bundle) -> None:
        self.rules, self.bundle = rules, bundle
        self.shelves = Shelves(bundle)
        self.n_codes = len(bundle.items) + 1
        tags = {name: self._tag(tag) for name, tag in rules.tags.items()}
        self.legal = _selected(rules.legal, tags) + ([] if rules is fixed else self._fixed(fixed))
        self.hidden = _selected(rules.hidden, tags)
        self.boosts: list[tuple[Boost, Mask]] = [(rule, evaluated(rule.where, tags)) for rule in rules.boosts]
        self.promotions: list[tuple[Promotion, NDArray[np.int32]]] = [
            (promotion, self.codes(promotion.items)) for promotion in rules.promotions
        ]
        self.pins = [(pin, bundle.items.codes.get(pin.item, 0)) for pin in rules.pins]
        self.out_of_stock = self._mask(rules.out_of_stock)
        self.overpriced = ~self._priced(rules.min_price, rules.max_price)
        self.tags = tags
        if rules.caps or rules.diversity:
            self.shelves.fill()
        self.permitted = lru_cache(maxsize=VIEWS)(self._permitted)

    def active(self, occasion: Occasion) -> tuple[str, ...]:
        """Names of the legal and hidden rules that are about the occasion; what it does not say cannot lift a legal one."""
        legal = [rule.name for rule in self.legal if applies(rule.when, occasion, untold=True)]
        return tuple(legal + [rule.name for rule in self.hidden if applies(rule.when, occasion, untold=False)])

    def _permitted(self, active: tuple[str, ...]) -> Permitted:
        """Names of active rules -> what they leave. The same array for the same names."""
        rules = [(rule.name, rule.mask) for rule in (*self.legal, *self.hidden) if rule.name in active]
        forbidden = [*rules, ("out_of_stock", self.out_of_stock), ("price", self.overpriced)]
        mask = ~np.logical_or.reduce([mask for _, mask in forbidden])
        mask[0] = False
        counts = {name: int(mask[1:].sum()) for name, mask in forbidden}
        return Permitted(mask, {name: n for name, n in counts.items() if n})

    def matches(self) -> dict[str, int]:
        """Items that each tag and rule is about: what matches nothing is often a typing mistake."""
        masks = {f"tags.{name}": mask for name, mask in self.tags.items()}
        for part, rules in (("legal", self.legal), ("hidden", self.hidden)):
            masks |= {f"{part}.{rule.name}": rule.mask for rule in rules}
        masks |= {f"boosts.{rule.name}": mask for rule, mask in self.boosts}
        counts = {name: int(mask[1:].sum()) for name, mask in masks.items()}
        counts |= {f"promotions.{rule.name}": int((codes > 0).sum()) for rule, codes in self.promotions}
        counts |= {f"pins.{pin.name}": int(code > 0) for pin, code in self.pins}
        return counts | {"out_of_stock": int(self.out_of_stock.sum())}

    def codes(self, items: Iterable[str]) -> NDArray[np.int32]:
        """Item ids -> codes; 0 for what the release does not know."""
        known = self.bundle.items.codes
        return np.array([known.get(item, 0) for item in items], dtype=np.int32)

    def _mask(self, items: Iterable[str]) -> Mask:
        mask = np.zeros(self.n_codes, dtype=bool)
        mask[self.codes(items)] = True
        mask[0] = False
        return mask

    def _priced(self, least: float | None, most: float | None) -> Mask:
        prices = self.bundle.model.statistics.price28
        found = np.ones(self.n_codes, dtype=bool)
        if least is not None:
            found &= prices >= least
        if most is not None:
            found &= prices <= most
        return found

    def _fixed(self, rules: RulesConfig) -> list[Selected]:
        """Legal blocks by their own tags, under names of their own."""
        found = _selected(rules.legal, {name: self._tag(tag) for name, tag in rules.tags.items()})
        return [replace(rule, name=f"scenario.{rule.name}") for rule in found]

    def _tag(self, tag: Tag) -> Mask:
        names = self.bundle.catalogue
        found = self._priced(tag.min_price, tag.max_price)
        if tag.categories:
            found &= np.logical_or.reduce([_below(names.categories, prefix) for prefix in tag.categories])
        if tag.brands:
            found &= np.isin(names.brands, tag.brands)
        if tag.words:
            found &= _titled(names.titles, tag.words)
        if tag.items:
            found &= self._mask(tag.items)
        if tag.newer_than_days is not None:
            found &= self.bundle.model.statistics.age < tag.newer_than_days
        return found


def permitted_at(rules: RulesConfig, bundle: Bundle, moment: int) -> Mask | None:
    """Mask of what the rules leave to anybody from a moment on; None where they forbid nothing. [n_codes]

    A legal block that will hold at some hour is kept at all of them: nobody knows when the list is shown.
    """
    if rules.idle:
        return None
    compiled = Compiled(rules, rules, bundle)
    return compiled.permitted(compiled.active(Occasion("for_you", moment, lasting=True))).mask


def _selected(rules: tuple[Rule, ...], tags: dict[str, Mask]) -> list[Selected]:
    return [Selected(rule.name, rule.when, evaluated(rule.where, tags)) for rule in rules]


def _below(paths: NDArray[np.str_], prefix: str) -> Mask:
    """Category paths that are `prefix` or continue it by whole parts."""
    return np.asarray((paths == prefix) | np.char.startswith(paths, prefix + " > "))


def _titled(titles: tuple[str, ...], words: tuple[str, ...]) -> Mask:
    # a word may begin or end in a sign (c++), where no boundary of words is
    wanted = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
    return np.fromiter((wanted.search(title) is not None for title in titles), dtype=bool, count=len(titles))
