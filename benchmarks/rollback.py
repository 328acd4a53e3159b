"""A harmful release as a canary of the real service, before simulated shoppers: when it is rolled back, and what it cost.

recloop bench rollback, or: python benchmarks/rollback.py [--json] [--quick] [--out FILE]

Needs a home (RECLOOP_HOME) with a release of configs/retail.yaml; it is copied, not changed. The harmful release is the
champion with its ranker's scores turned round: it passes every check at the door and proposes the worst of the candidates.
Two services run: one follows the canary, one serves the champion alone. Everybody visits the first, the canary's users
also the second: the same people on the same days, so that the difference of what they spend is what the canary cost.
Two services and the shoppers share the machine, so that an answer is slow here after a second only.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from contract import parser, say, told

from recloop.artifacts import current, open_store
from recloop.artifacts.artifact import publishing
from recloop.client import Client
from recloop.evaluation.experiments.assignment import variant_of
from recloop.serving.journal import Journal
from recloop.serving.rollout import CANARY
from recloop.simulator.shoppers import Traits
from recloop_pipelines import rollouts
from recloop_pipelines.places import configuration
from recloop_pipelines.settings import opened, settings
from recloop_pipelines.simulate import PERIOD, simulate, world

ROOT = Path(__file__).parents[1]
SCENARIO = ROOT / "configs/retail.yaml"
PATIENT = "\nexperiments:\n  slow_ms: 1000\n"
SHARE, MOST_DAYS, USERS = 0.05, 14, 3_000


def main():
    words = parser(__doc__)
    words.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="of shoppers; --quick takes the first"
    )
    asked = words.parse_args()
    rows = []
    for seed in asked.seeds[:1] if asked.quick else asked.seeds:
        with home() as folder:
            rows.append(tried(folder, seed))
        say(f"seed {seed}: {rows[-1]}")
    found = {
        "share": SHARE,
        "users": USERS,
        "runs": rows,
        "worst_cost_of_28_days": max(r["cost_of_28_days"] for r in rows),
    }
    heads = ("seed", "fate", "days", "canary_users", "spent_less", "cost_so_far", "cost_of_28_days", "reason")
    told(found, [tuple(str(row[head]) for head in heads) for row in rows], heads, asked)


@contextmanager
def home():
    """Two copies of the home's store, `tried` and `alone`, in a folder of their own; this process uses the first."""
    usual = settings().store_uri.removeprefix("file://")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tried", "alone"):
            shutil.copytree(usual, f"{folder}/{name}/store")
        before = os.environ.get("RECLOOP_STORE")
        use(RECLOOP_STORE=f"file://{folder}/tried/store")
        try:
            yield Path(folder)
        finally:
            use(RECLOOP_STORE=before)


def use(**variables):
    """Change what this process is told of where it runs."""
    for name, value in variables.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    settings.cache_clear()


def tried(folder, seed):
    """One canary from its start to its fate -> a row."""
    scenario = folder / "retail.yaml"
    scenario.write_text(SCENARIO.read_text() + PATIENT)
    config = configuration(str(scenario))
    own = world(config, Traits(users=USERS, seed=seed), calibrate=False)
    with service(folder / "tried", scenario) as url, service(folder / "alone", scenario) as alone:
        rollout = begun(config, folder, seed)
        in_canary = np.array([variant_of(rollout.running, name).name == CANARY for name in own.people.names])
        left = replace(own.people, days_left=np.where(in_canary, own.people.days_left, -1))
        for day in range(MOST_DAYS):
            visit(url, own, day)
            visit(alone, replace(own, people=left), day)
            time.sleep(2)  # the canary looks once a second
            if (ended := rollouts.newest(config)).state != "running" or not serving(url):
                break
    users = {name for name, inside in zip(own.people.names, in_canary, strict=True) if inside}
    spent, would = (money(folder / which / "journal", users) for which in ("tried", "alone"))
    return row(seed, ended, day + 1, spent, would)


def begun(config, folder, seed):
    """Publish the harmful release and start its canary."""
    champion = current(open_store(settings().store_uri), config.scenario)
    uri = f"file://{folder}/harmful-{seed}"
    with publishing(uri, kind="release") as draft:
        shutil.copytree(opened(champion.release, kind="release").path, draft.path, dirs_exist_ok=True)
        (draft.path / "manifest.json").unlink()
        turned(draft.path / "model/ranker.onnx")
    bundle = opened(uri, kind="release")
    return rollouts.start(config, bundle, champion=champion.digest, mode="canary", share=SHARE, now=time.time())


def turned(path):
    """Turn a ranker's scores round."""
    model = onnx.load(path)
    last = next(node for node in model.graph.node if "logit" in node.output)
    last.output[list(last.output).index("logit")] = "upright"
    model.graph.node.append(onnx.helper.make_node("Neg", ["upright"], ["logit"]))
    onnx.save(model, path)


@contextmanager
def service(folder, scenario):
    """`recloop serve` in a home of its own on the same store -> its url."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    own = {"RECLOOP_HOME": str(folder), "RECLOOP_STORE": f"file://{folder}/store"}
    words = ["serve", "--scenario", str(scenario), "--port", str(port), "--journal", str(folder / "journal")]
    process = subprocess.Popen([sys.executable, "-m", "recloop_pipelines", *words], env=os.environ | own)
    try:
        while not serving(f"http://127.0.0.1:{port}"):
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def serving(url):
    with Client(url) as client:
        try:
            return client.health()["ready"]
        except ConnectionError:
            return False


def visit(url, own, day):
    """A day of everybody's visits."""
    use(RECLOOP_SERVICE=url)
    simulate(own, days=1, first=day, k=10, plant={}, progress=lambda *_: None)


def money(folder, users):
    """What the canary's users and everybody spent, from the journal."""
    journal = Journal(folder)
    bought = [one for one in journal.replay() if one["kind"] == "event" and one["event"] == "purchase"]
    journal.close()
    return sum(one["price"] for one in bought if one["user_id"] in users), sum(one["price"] for one in bought)


def row(seed, ended, days, spent, would):
    """What became of it. cost_so_far: of all revenue until its end; cost_of_28_days: of 28 such days."""
    lost = would[0] - spent[0]
    everything = spent[1] + lost
    return {
        "seed": seed,
        "fate": ended.state,
        "days": days,
        "canary_users": ended.figures.get("users"),
        "spent_less": round(lost / would[0], 4),
        "cost_so_far": round(lost / everything, 5),
        "cost_of_28_days": round(lost / everything * days / PERIOD, 5),
        "reason": ended.reason,
    }


if __name__ == "__main__":
    main()
