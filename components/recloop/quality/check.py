"""events -> checked: rows judged one by one, then the table as a whole."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from recloop.config import ContractConfig, QualityConfig
from recloop.data.events import reject
from recloop.data.profile import Profile, profile
from recloop.errors import QualityFailed
from recloop.quality.contract import CONTRACT, Promise, contract_suite, promises, sentences
from recloop.quality.reports import Result, run
from recloop.quality.suites import (
    BAD_SHARE,
    DAYS,
    PROFILE,
    SAMPLE,
    days_frame,
    days_suite,
    figures,
    profile_suite,
    sample_suite,
)
from recloop.quality.watch.arrivals import LastCheck
from recloop.quality.watch.watch import Watch, watch

FREE = ContractConfig()
"""a source that promises nothing"""


@dataclass(frozen=True)
class Verdict:
    """Whether the table may be used, and why not."""

    ok: bool
    reasons: tuple[str, ...]
    """one sentence an expectation that failed"""
    profile: Profile
    results: tuple[Result, ...]
    watch: Watch
    """the days that are new, against those before"""
    breaches: tuple[str, ...] = ()
    """one sentence a promise of the source that is not kept"""

    def save(self, path: Path) -> None:
        """Write canonical JSON, without the profile."""
        body = {
            "ok": self.ok,
            "reasons": self.reasons,
            "results": [asdict(r) for r in self.results],
            "days": {"judged": len(self.watch.days), "note": self.watch.note},
            "contract": [r.column for r in self.results if r.suite == CONTRACT and not r.ok],
            "findings": [finding.sentence for finding in self.watch.findings],
        }
        path.write_text(json.dumps(body, sort_keys=True, indent=1) + "\n")


@dataclass(frozen=True)
class Checked:
    """The files of a checked artefact."""

    events: pl.DataFrame
    """good rows, EVENT_SCHEMA, sorted by time and event id"""
    items: pl.DataFrame
    quarantine: pl.DataFrame
    """READ_SCHEMA, every row with its reason"""
    verdict: Verdict

    def save(self, folder: Path) -> None:
        """Write events, items, quarantine (.parquet), profile, verdict and watch (.json): equal input, equal bytes."""
        self.events.write_parquet(folder / "events.parquet", compression_level=1)
        self.items.write_parquet(folder / "items.parquet")
        self.quarantine.write_parquet(folder / "quarantine.parquet")
        self.verdict.profile.save(folder / "profile.json")
        self.verdict.save(folder / "verdict.json")
        self.verdict.watch.save(folder / "watch.json")


@dataclass(frozen=True)
class Before:
    """What is known from earlier: the last checked table, and what people let pass since."""

    profile: Profile | None = None
    """of the last checked table; None for the first"""
    days: LastCheck | None = None
    """of the watch over days; None for its first"""
    allowed: frozenset[str] = frozenset()
    """keys of findings that were let pass"""


def judge(
    events: pl.DataFrame,
    items: pl.DataFrame,
    *,
    config: QualityConfig,
    now: datetime,
    seed: int,
    before: Before,
    docs: Path,
    contract: ContractConfig = FREE,
) -> Checked:
    """Events as read and items -> Checked.

    Data Docs go to `docs`. Raises QualityFailed with the rows of each reason, after the docs, docs/quarantine.parquet,
    docs/findings.parquet and docs/watch.json are written.
    """
    good, quarantine = reject(events, items, config=config, now=now)
    seen = watch(good, quarantine, items, config=config.watch, now=now, previous=before.days, allowed=before.allowed)
    promised = promises(good, items, contract, now=now)
    verdict = check(
        good,
        quarantine,
        items,
        config=config,
        seed=seed,
        previous=before.profile,
        seen=seen,
        docs=docs,
        contract=contract,
        promised=promised,
    )
    if not verdict.ok:
        quarantine.write_parquet(docs / "quarantine.parquet")
        seen.rows.write_parquet(docs / "findings.parquet")
        seen.save(docs / "watch.json")
        raise QualityFailed(_failure(verdict, docs))
    return Checked(events=good, items=items, quarantine=quarantine, verdict=verdict)


def check(
    good: pl.DataFrame,
    quarantine: pl.DataFrame,
    items: pl.DataFrame,
    *,
    config: QualityConfig,
    seed: int,
    previous: Profile | None,
    seen: Watch,
    docs: Path,
    contract: ContractConfig = FREE,
    promised: Sequence[Promise] = (),
) -> Verdict:
    """Judged rows -> Verdict: the profile of all rows, a seeded sample of the good ones, the new days, the contract."""
    found = profile(good, quarantine, items)
    sample = good.sample(min(config.sample_rows, good.height), seed=seed)
    suites = {
        PROFILE: (profile_suite(config), figures(found, config, previous=previous)),
        SAMPLE: (sample_suite(config), sample.to_pandas()),
    }
    if seen.scores:
        days = days_frame(seen)
        suites[DAYS] = (days_suite(days), days)
    if promised:
        suites[CONTRACT] = contract_suite(promised)
    results = tuple(map(_ageless, run(suites, docs=docs)))
    failed = [_sentence(r, found) for r in results if not r.ok and r.suite not in {DAYS, CONTRACT}]
    if config.watch.act == "stop":
        failed += [finding.sentence for finding in seen.findings if finding.stops]
    breaches = sentences(promised, contract)
    if contract.act == "stop":
        failed += breaches
    return Verdict(not failed, tuple(failed), found, results, seen, breaches)


def _ageless(result: Result) -> Result:
    """A result of the contract without its figures, of which an age is another at every try of the same check."""
    return replace(result, examples=()) if result.suite == CONTRACT else result


def _sentence(result: Result, found: Profile) -> str:
    """A failed expectation in words, with its numbers and the setting that allows more."""
    if result.suite == PROFILE and result.column == BAD_SHARE:
        each = ", ".join(f"{reason} {rows:,}" for reason, rows in found.quarantined.items())
        share = f"{float(result.examples[0]):.2%} of rows go to quarantine" if result.examples else "rows are bad"
        return f"{share}; quality.max_bad_share allows {result.limits['max_value']:.2%} ({each})"
    limits = ", ".join(f"{k} {v}" for k, v in sorted(result.limits.items()))
    seen = ", ".join(result.examples) or "nothing that can be judged"
    return f"{result.suite}: {result.column or 'table'} {result.expectation} ({limits}): found {seen}"


def _failure(verdict: Verdict, docs: Path) -> str:
    found = verdict.profile
    return (
        f"{found.rows - found.good:,} of {found.rows:,} events are in quarantine and the check failed:\n"
        + "\n".join(f"  {reason}" for reason in verdict.reasons)
        + f"\nMend the export, or raise the limit in the section quality. The report is {docs / 'index.html'}, "
        f"the refused rows are in {docs / 'quarantine.parquet'}: `recloop quarantine list` shows what is set aside."
    )
