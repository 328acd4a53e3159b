"""A topic followed from run to run, through kills at the worst moments."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from recloop.config import load, parse
from recloop_pipelines import ingest, streaming
from recloop_pipelines.places import latest, place
from recloop_pipelines.settings import opened
from topics import cluster, order

CHILD = """
import sys
from pathlib import Path
from recloop.config import load
from recloop_pipelines import ingest, streaming
from recloop_pipelines.places import place
import recloop_pipelines.{module}

def hang(*given, **more):
    print("here", flush=True)
    sys.stdin.read()

recloop_pipelines.{module}.{name} = hang
config = load(Path({path!r}))
ingest.collect(config=config, out=place(config, "events", {run!r}))
"""
CONFIG = "scenario: stream\ndata: {{source: kafka, events: '{url}', columns: {{user_id: user_id}}}}\n"


@pytest.fixture(scope="module")
def brokers():
    return cluster()


@pytest.fixture
def scenario(brokers, tmp_path):
    """The topic's name is the test's own, and so is the YAML."""
    topic = tmp_path.name
    path = tmp_path / "stream.yaml"
    path.write_text(CONFIG.format(url=brokers.url(topic)))
    brokers.send(topic, *map(order, range(40)))
    return path, topic


def run(path: Path, name: str) -> list[str]:
    config = load(path)
    return ids(ingest.collect(config=config, out=place(config, "events", name)))


def ids(uri: str) -> list[str]:
    return sorted(pl.read_parquet(opened(uri, kind="events").path / "events.parquet")["event_id"])


def expected(n: int) -> list[str]:
    return sorted(f"e{i}" for i in range(n))


def killed(path: Path, *, module: str, name: str, run: str) -> None:
    """Ingest in a process of its own, which is killed once it reaches a function."""
    code = CHILD.format(module=module, name=name, path=str(path), run=run)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ, **pipes) as child:
        assert child.stdout.readline() == "here\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


def test_offsets_are_committed_once_the_events_are_published(brokers, scenario):
    path, topic = scenario
    assert run(path, "one") == expected(40)
    assert brokers.committed(topic) == dict.fromkeys(range(4), 10)
    brokers.send(topic, *map(order, range(40, 48)))
    assert run(path, "two") == expected(48)
    assert brokers.committed(topic) == dict.fromkeys(range(4), 12)


def test_a_consumer_killed_before_it_published_has_taken_nothing(brokers, scenario):
    path, topic = scenario
    killed(path, module="streaming", name="landed", run="one")
    assert (latest(load(path), "events"), brokers.committed(topic)) == (None, {})
    assert run(path, "one") == expected(40)


def test_a_consumer_killed_before_it_committed_takes_nothing_twice(brokers, scenario):
    path, topic = scenario
    killed(path, module="ingest", name="announce", run="one")
    assert brokers.committed(topic) == {}
    brokers.send(topic, *map(order, range(40, 44)))
    assert run(path, "one") == expected(40)
    assert brokers.committed(topic) == dict.fromkeys(range(4), 10)
    assert run(path, "two") == expected(44)


def test_a_message_that_is_delivered_again_counts_once(brokers, scenario):
    path, topic = scenario
    run(path, "one")
    brokers.send(topic, order(3), order(40), order(40))
    assert run(path, "two") == expected(41)


def test_a_run_without_a_new_message_keeps_events_and_catalogue(scenario):
    path, _ = scenario
    run(path, "one")
    assert run(path, "two") == expected(40)
    items = pl.read_parquet(opened(latest(load(path), "events"), kind="events").path / "items.parquet")
    assert items["item_id"].to_list() == ["i0", "i1", "i2", "i3", "i4"]


def test_deletions_reach_what_came_earlier(scenario, tmp_path):
    path, _ = scenario
    run(path, "one")
    pl.DataFrame({"user_id": ["u1"]}).write_csv(tmp_path / "gone.csv")
    path.write_text(path.read_text().replace("source: kafka", f"source: kafka, deletions: {tmp_path}/gone.csv"))
    assert run(path, "two") == sorted(f"e{n}" for n in range(40) if n % 7 != 1)


@pytest.mark.parametrize(("url", "goes_on"), [("kafka://old:1,new:1/orders", True), ("kafka://old:1/clicks", False)])
def test_a_topic_goes_on_when_its_brokers_change(tmp_path, url, goes_on):
    (tmp_path / "offsets.json").write_text('{"topic": "kafka://old:1/orders", "next": {"0": 7}}')
    config = parse(yaml.safe_load(CONFIG.format(url=url)), name="stream.yaml")
    assert streaming._same(config, tmp_path) is goes_on
