"""Off-policy evaluation and exploring, measured: one JSON object a line on standard output.

open-bandit   relative error against the on-policy value, and intervals, on the Open Bandit data (Saito et al. 2021, protocol of
              its examples/obd: 30 resamples of the log). PRIOR is the policy's JSON: {"all": {"alpha": [..], "beta": [..]}}.
coverage      how often intervals hold the truth, over simulated logs of the same size and rarity.
slates        the same for whole answers, whose clicks fade with the place.
regret        who learns fastest in a world with known truth, with a picture.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from recloop.bandits.confidence import KINDS, intervals
from recloop.bandits.estimators import NAMES, effective_rows, terms
from recloop.bandits.held import held
from recloop.bandits.logged import open_bandit, refitted, rounds, thompson_target
from recloop.bandits.policies import policy
from recloop.bandits.simulator import World, logs, regret, truth

SEED = 12345
BLIND = "mean of the log, whatever the policy"
INTERVALS = (*KINDS, "refitted")
EVEN = np.full((80, 3), 1 / 80)


def say(**facts):
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def policy_of(log, prior, campaign, target):
    if target == "random":
        return np.full((log.n_items, log.n_positions), 1 / log.n_items)
    own = json.loads(prior.read_text())[campaign]
    return thompson_target(
        np.array(own["alpha"]), np.array(own["beta"]), places=log.n_positions, times=200_000, seed=SEED
    )


def open_bandit_errors(folder, prior, campaign, behaviour, target, *, runs, times):
    """Mean relative error over resamples, the interval of the whole log, and the noise of the truth itself."""
    log = open_bandit(folder, behaviour=behaviour, campaign=campaign)
    own = open_bandit(folder, behaviour=target, campaign=campaign).rewards
    value, error = float(own.mean()), float(own.std(ddof=1) / np.sqrt(len(own)))
    chance = policy_of(log, prior, campaign, target)
    facts = {"set": f"open-bandit/{campaign}", "protocol": f"{behaviour} -> {target}, {runs} resamples", "n": len(log)}
    seen = rounds(log, chance, seed=SEED)
    facts |= {"clicks": int(log.rewards.sum()), "effective_rows": effective_rows(seen.weights)}
    say(what="truth", **facts, value=value, error=error, relative_error=error / value, clicks_of_truth=int(own.sum()))
    errors = np.abs(resampled(log, chance, runs) / value - 1)
    wide = np.quantile(refitted(log, chance, NAMES, times=times, seed=SEED + 1), [0.025, 0.975], axis=0).T
    for name, off, bounds in zip((*NAMES, BLIND), errors.T, [*wide.tolist(), [None, None]], strict=True):
        whole = float(log.rewards.mean()) if name == BLIND else terms(name, seen).value
        found = {
            "relative_error": off.mean(),
            "sd": off.std(ddof=1),
            "whole_log": whole / value - 1,
            "interval": bounds,
        }
        say(what="estimate", **facts, model=name, **found)


def resampled(log, chance, runs):
    """Estimates in the resamples that the published figures come from, and the resample's own mean. [runs, estimators + 1]"""
    drawn = [np.random.RandomState(run).choice(len(log), len(log)) for run in range(runs)]
    counts = [np.bincount(rows, minlength=len(log)).astype(float) for rows in drawn]
    found = refitted(log, chance, NAMES, times=runs, seed=SEED, resamples=counts)
    return np.concatenate([found, [[log.rewards[rows].mean()] for rows in drawn]], axis=1)


def coverage(*, n_logs, n, rate, times, refits):
    """Share of logs whose interval holds the truth. Items as uneven as a Thompson policy of 80 arms makes them."""
    rng = np.random.default_rng(SEED)
    table = rate * rng.gamma(8, 1 / 8, size=(80, 1)) * np.array([[1.1, 1.0, 0.9]])
    target = rng.gamma(0.5, 1, size=(80, 3)) * (table / table.mean()) ** 2
    target /= target.sum(axis=0)
    value = truth(table, target)
    found, bounds = zip(
        *(
            _bounds(log, target, seed, times, refit=seed < refits)
            for seed, log in enumerate(logs(table, EVEN, n=n, seeds=range(n_logs)))
        ),
        strict=True,
    )
    off = np.array(found) / value - 1  # [logs, estimators]
    low, high = np.moveaxis(np.array(bounds), -1, 0)  # [logs, kinds, estimators]
    held = np.where(np.isnan(low), np.nan, (low <= value) & (value <= high))
    held, width = np.nanmean(held, axis=0), np.nanmean(high - low, axis=0) / value
    for at, name in enumerate(NAMES):
        say(
            what="coverage",
            protocol=f"{n_logs} logs of {n} rows, rate {rate}, 80 items, 3 positions, uniform -> uneven",
            model=name,
            bias=off[:, at].mean(),
            rmse=float(np.sqrt((off[:, at] ** 2).mean())),
            coverage=dict(zip(INTERVALS, held[:, at].tolist(), strict=True)),
            width=dict(zip(INTERVALS, width[:, at].tolist(), strict=True)),
            n=n_logs,
            n_refitted=refits,
        )


def _bounds(log, target, seed, times, *, refit):
    """Estimates of one log, and their bounds. [estimators], [kinds, estimators, 2]"""
    seen = rounds(log, target, seed=seed)
    parts = [terms(name, seen) for name in NAMES]
    found = [
        [(own.low, own.high) for own in intervals(parts, log.clusters, kind=kind, times=times, seed=seed)]
        for kind in KINDS
    ]
    anew = np.full((len(NAMES), 2), np.nan)
    if refit:
        anew = np.quantile(refitted(log, target, NAMES, times=times // 2, seed=seed), [0.025, 0.975], axis=0).T
    return [own.value for own in parts], [*found, anew.tolist()]


def slate_coverage(*, n_logs, n, times):
    """As coverage, for slates of 3 out of 20 in a world of contexts: softmax over noisy scores logged, others judged."""
    world = World.drawn(n_arms=20, d=4, k=3, seed=SEED)
    for name in ("top_k", "epsilon_greedy=0.2", "softmax=0.5", "uniform"):
        for own in held(
            world, policy("softmax=1"), policy(name), names=NAMES, n_logs=n_logs, n=n, times=times, seed=SEED
        ):
            off = own.values / own.truth - 1
            say(
                what="slates",
                protocol=f"{n_logs} logs of {n} answers, 3 of 20 items, softmax=1 -> {name}, bootstrap",
                model=own.name,
                truth=own.truth,
                bias=off.mean(),
                rmse=float(np.sqrt((off**2).mean())),
                coverage=own.holds.mean(),
                n=len(own.values),
                refused=own.refused,
            )


def regrets(*, seeds, batches, size, picture):
    """Regret of each learner in the same worlds, and its picture."""
    from learners import learners

    worlds = [World.drawn(n_arms=30, d=6, k=3, seed=seed) for seed in range(seeds)]
    curves, chance = {}, None
    for name, made in learners().items():
        start = time.perf_counter()
        own = [regret(w, made(s), rounds=batches, batch=size, seed=s).cumsum() for s, w in enumerate(worlds)]
        curves[name] = np.array(own)
        chance = curves[name][:, -1] if chance is None else chance
        share = curves[name][:, -1] / chance
        late = (curves[name][:, -1] - curves[name][:, -batches // 5 - 1]) / (chance / 5)
        say(
            what="regret",
            protocol=f"{batches} batches of {size} users, 30 items, 3 places",
            model=name,
            clicks_missed_a_user=curves[name][:, -1].mean() / (batches * size),
            of_chance=share.mean(),
            of_chance_sd=share.std(ddof=1),
            of_chance_in_the_last_fifth=late.mean(),
            each=share.round(3).tolist(),
            seeds=seeds,
            seconds=round(time.perf_counter() - start, 1),
        )
    if picture:
        draw(curves, size, picture)


def draw(curves, size, path):
    """Regret of each learner so far over that of chance: means of the worlds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    chance, *learnt = curves
    for name in learnt:
        share = (curves[name] / curves[chance]).mean(axis=0)
        axes.plot(size * np.arange(1, len(share) + 1), share, label=name, linewidth=1.5)
    axes.set_ylim(0, 0.6)
    axes.set_xlabel("users")
    axes.set_ylabel("expected clicks missed so far / by chance")
    axes.set_title("Regret in worlds with known truth, mean over seeds", loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="what", required=True)
    one = parts.add_parser("open-bandit")
    one.add_argument("folder", type=Path)
    one.add_argument("prior", type=Path)
    one.add_argument("--campaign", default="all")
    one.add_argument("--behaviour", default="random")
    one.add_argument("--target", default="bts")
    one.add_argument("--runs", type=int, default=30)
    one.add_argument("--times", type=int, default=500)
    two = parts.add_parser("coverage")
    two.add_argument("--logs", type=int, default=500)
    two.add_argument("--rows", type=int, default=10_000)
    two.add_argument("--rate", type=float, default=0.004)
    two.add_argument("--times", type=int, default=200)
    two.add_argument("--refits", type=int, default=100, help="logs whose model is fitted anew too; at least 1")
    slate = parts.add_parser("slates")
    slate.add_argument("--logs", type=int, default=200)
    slate.add_argument("--rows", type=int, default=1_000)
    slate.add_argument("--times", type=int, default=300)
    three = parts.add_parser("regret")
    three.add_argument("--seeds", type=int, default=5)
    three.add_argument("--batches", type=int, default=200)
    three.add_argument("--size", type=int, default=50)
    three.add_argument("--picture", type=Path)
    own = parser.parse_args()
    if own.what == "open-bandit":
        open_bandit_errors(
            own.folder, own.prior, own.campaign, own.behaviour, own.target, runs=own.runs, times=own.times
        )
    elif own.what == "coverage":
        coverage(n_logs=own.logs, n=own.rows, rate=own.rate, times=own.times, refits=own.refits)
    elif own.what == "slates":
        slate_coverage(n_logs=own.logs, n=own.rows, times=own.times)
    else:
        regrets(seeds=own.seeds, batches=own.batches, size=own.size, picture=own.picture)


if __name__ == "__main__":
    main()
