"""Can the verdicts of experiments be believed? Each figure is a share of many simulated runs, with its 95 % interval.

recloop bench experiments, or: python benchmarks/experiments.py [--json] [--quick] [--out FILE]

Users spend what simulated shoppers of a made-up shop spend in 28 days; its visits, baskets, repeats and popularity curve are
near those of the retail scenario. Every experiment is looked at all the time. Off-policy: slates of 3 out of 20 items, logged
by one policy over a fair ranker's scores and judged for another; expected clicks are known. Logs that do not carry the judged
policy are refused, as everywhere, and counted.
"""

import math
from dataclasses import asdict, replace

import numpy as np
from contract import parser, say, told

from recloop.bandits.held import Held, held
from recloop.bandits.policies import policy
from recloop.bandits.simulator import World
from recloop.evaluation.experiments.power import Plan, always_valid
from recloop.simulator.likeness import alone
from recloop.simulator.repeated import share, suspected, verdicts
from recloop.simulator.shop import Habits, Shop
from recloop.simulator.shoppers import Traits, shoppers

SEED = 12345
LOOKS, EFFECT, POWER = 50, 0.05, 0.8
ANSWERS = 1_000
"""of a log, each of one user"""
PAIRS = (
    ("epsilon_greedy=0.3", "top_k"),
    ("epsilon_greedy=0.3", "softmax=0.5"),
    ("epsilon_greedy=0.3", "uniform"),
    ("softmax=1", "epsilon_greedy=0.2"),
)
"""what logged and what is judged; a softmax has no least chance, so that some weights are very large"""
ESTIMATORS = ("ipw", "snipw", "dr", "sndr", "switch_dr")
HABITS = Habits(visits=1.464 / 7, basket=9.205, spread=15.563, repeat=0.186)


def shop(n_items: int = 2_000) -> Shop:
    """A shop whose best 1 % and 10 % of the items have near a fifth and near half of the purchases."""
    rng = np.random.default_rng(SEED)
    fame = (np.arange(n_items) + 5.0) ** -0.85
    prices = np.exp(rng.normal(0.8, 0.7, n_items))
    names = tuple(f"i{n:04}" for n in range(n_items))
    return Shop(names, fame / fame.sum(), rng.integers(0, 20, n_items), prices, HABITS)


def spent(users: int, days: int = 28) -> np.ndarray:
    """What each simulated shopper spends. [users]"""
    own = shoppers(shop(), replace(Traits(), users=users, seed=SEED))
    price = dict(zip(own.shop.items, own.shop.prices, strict=True))
    found = dict.fromkeys(own.names, 0.0)
    for user, item in alone(own, days=days).select("user_id", "item_id").iter_rows():
        found[user] += price[item]
    return np.array(list(found.values()))


def verdicts_found(money: np.ndarray, *, quick: bool) -> dict[str, dict]:
    """A/A under peeking, and a planted effect with the users that the calculator names."""
    tests, runs = (100, 40) if quick else (1_000, 200)
    plan = Plan(float(money.mean()), float(money.std(ddof=1)), EFFECT, power=POWER)
    users = always_valid(plan)
    block = math.ceil(users / 2 / LOOKS)
    same = verdicts(money, runs=tests, looks=LOOKS, block=400, more=0.0, tau=EFFECT, seed=SEED)
    say(f"{tests} A/A tests were watched; planting {EFFECT:+.0%} in {runs} of {users:,} users ...")
    better, worse, _ = verdicts(money, runs=runs, looks=LOOKS, block=block, more=EFFECT, tau=EFFECT, seed=SEED + 1)
    return {
        "a_a_false_positives": {"goal": "<= 0.05", "users": 800 * LOOKS, **asdict(share(same[0] | same[1]))},
        "a_a_false_positives_of_a_z_test": {"goal": "", "users": 800 * LOOKS, **asdict(share(same[2]))},
        "planted_5_percent_found": {"goal": f">= {POWER}", "users": 2 * block * LOOKS, **asdict(share(better))},
        "planted_5_percent_called_worse": {"goal": "0", "users": 2 * block * LOOKS, **asdict(share(worse))},
    }


def splits_found(*, quick: bool) -> dict[str, dict]:
    """Sample ratios: fair ones, and 52 to 48 where halves were planned."""
    runs, rows = 100 if quick else 1_000, {}
    for name, own, goal in (("fair_split_suspected", 0.5, "<= 0.001"), ("split_52_48_found", 0.52, ">= 0.95")):
        hit = suspected(runs=runs, looks=200, block=200, share=own, planned=0.5, seed=SEED)
        rows[name] = {"goal": goal, "users": 40_000, **asdict(share(hit))}
    return rows


def estimates_held(*, quick: bool) -> dict[str, dict]:
    """Coverage of the 95 % intervals of off-policy estimates, over the logs that carry the judged policy."""
    world = World.drawn(n_arms=20, d=4, k=3, seed=SEED)
    n_logs, rows = 20 if quick else 200, {}
    for logging, judged in PAIRS[:1] if quick else PAIRS:
        say(f"judging {judged} in {n_logs} logs of {logging} ...")
        every = held(
            world,
            policy(logging),
            policy(judged),
            names=ESTIMATORS,
            n_logs=n_logs,
            n=ANSWERS,
            times=300,
            seed=SEED,
        )
        rows |= {f"{own.name}: {logging} -> {judged}": of_estimates(own) for own in every if len(own.values)}
    return rows


def of_estimates(own: Held) -> dict:
    """What one estimator's row says."""
    off = np.abs(own.values / own.truth - 1).mean()
    more = {"refused": own.refused, "truth": own.truth, "relative_error": float(off)}
    return {"goal": ">= 0.9" if own.name == "dr" else "", "users": ANSWERS, **asdict(share(own.holds)), **more}


def main() -> None:
    """All figures."""
    asked = parser(__doc__ or "").parse_args()
    say("simulating shoppers ...")
    money = spent(300 if asked.quick else 1_000)
    rows = {
        **verdicts_found(money, quick=asked.quick),
        **splits_found(quick=asked.quick),
        **estimates_held(quick=asked.quick),
    }
    found = {
        "spent_mean": float(money.mean()),
        "spent_deviation": float(money.std(ddof=1)),
        "looks": LOOKS,
        "shares": [{"what": name, **row} for name, row in rows.items()],
    }
    shown = [
        (
            name,
            f"{row['share']:.3f}",
            f"{row['low']:.3f} to {row['high']:.3f}",
            f"{row['runs']:,}",
            f"{row['users']:,}",
            row["goal"],
        )
        for name, row in rows.items()
    ]
    told(found, shown, ("share of runs", "value", "95 %", "runs", "users of a run", "goal"), asked)


if __name__ == "__main__":
    main()
