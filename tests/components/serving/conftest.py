import json
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest
import uvicorn
from onnx import TensorProto, helper, numpy_helper

from recloop.columns import ITEM_COLUMNS
from recloop.config import CandidatesConfig, ModelConfig, SplitConfig
from recloop.data.events import EVENT_SCHEMA
from recloop.data.features import NAMES
from recloop.data.split import build
from recloop.models.two_stage_fit import sources
from recloop.serving.app import create_app
from recloop.serving.bundle import Bundle, assemble
from recloop.serving.engine import Engine
from recloop.serving.journal import Journal
from recloop.serving.keys import Keys, hashed
from recloop.serving.state import State

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = tuple("abcdefghijkl")
WEIGHTS = {"decayed_30": 1.0, "pop_28": 0.1, "item_knn": 1.0}
SECRETS = {"reader": ("read",), "writer": ("write",), "boss": ("admin",)}


def dataset():
    """Six users, twelve items, sixty days; user u0 takes a and b again and again."""
    rows = [(f"u{n % 6}", ITEMS[(n * n + n % 5) % 12], n) for n in range(240)]
    rows += [("u0", item, day * 4) for day in range(60) for item in "ab"]
    events = pl.from_dicts(
        [
            {"event_id": f"e{n}", "user_id": user, "item_id": item, "event": "purchase", "quantity": 1.0, "discount": 0.0,
             "price": 1.0 + ITEMS.index(item), "time": START + timedelta(hours=6 * at)}
            for n, (user, item, at) in enumerate(rows)
        ],
        schema=EVENT_SCHEMA,
    )  # fmt: skip
    items = pl.from_dicts(
        [
            {"item_id": item, "title": f"Item {item}", "category": "FOOD > CHEESE" if item < "g" else "FOODSTUFF > TEA"}
            for item in ITEMS
        ],
        schema={name: pl.String() for name in ITEM_COLUMNS},
    )
    return build(events, items, SplitConfig(test_days=14, min_item_events=1))


def save_model(data, folder, *, sign=1.0):
    """A two-stage model whose ranker is one weighted sum."""
    parts = sources(data, data.test, ModelConfig(), None)
    parts.statistics.save(folder / "statistics.safetensors")
    parts.item_knn.save(folder / "item_knn.safetensors")
    parts.linear.save(folder / "linear.safetensors")
    weights = np.array([sign * WEIGHTS.get(name, 0.0) for name in NAMES], dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["features", "weights"], ["logit"])],
        "ranker",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["pairs", len(NAMES)])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["pairs"])],
        [numpy_helper.from_array(weights, "weights")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "ranker.onnx").write_bytes(made.SerializeToString())
    facts = {"sasrec": False, "features": list(NAMES), "candidates": CandidatesConfig().model_dump(mode="json")}
    (folder / "model.json").write_text(json.dumps(facts))


def save_bundle(folder: Path, *, sign: float = 1.0) -> Path:
    data = dataset()
    for name in ("dataset", "model", "scorecard", "bundle"):
        (folder / name).mkdir(parents=True)
    data.save(folder / "dataset")
    save_model(data, folder / "model", sign=sign)
    (folder / "scorecard" / "scorecard.json").write_text("{}")
    assemble(
        folder / "dataset", folder / "model", folder / "scorecard", folder / "bundle", scenario="tiny", config="{}"
    )
    return folder / "bundle"


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory):
    return save_bundle(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory):
    """The release that ranks the other way round."""
    return save_bundle(tmp_path_factory.mktemp("other"), sign=-1.0)


@pytest.fixture(scope="session")
def bundle(bundle_folder):
    return Bundle.load(bundle_folder)


@pytest.fixture
def engine(bundle):
    made = Engine(State(), k=5, max_k=20)
    made.swap(bundle, digest="first", generation=1)
    return made


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([hashed(name, name, scopes) for name, scopes in SECRETS.items()]))
    return Keys.load(path)


class Server:
    """An app behind a real server, in a thread."""

    def __init__(self, app):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=5))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})

    def __enter__(self):
        self.thread.start()
        self.client = httpx.Client(base_url=self.url, timeout=20)
        self.client.get("/health")
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def served(tmp_path, bundle):
    """Function: engine, keys, parts -> a running Server on a journal in tmp_path, with a clock just after the data."""

    @contextmanager
    def start(engine, *, keys=None, journal=None, clock=lambda: bundle.end + 100.0, **parts):
        journal = journal or Journal(tmp_path / "journal")
        with Server(create_app(engine, journal, clock=clock, keys=keys, **parts)) as server:
            server.journal, server.engine = journal, engine
            yield server

    return start


@pytest.fixture
def server(served, engine):
    """A running Server of the first release."""
    with served(engine) as running:
        yield running


@pytest.fixture
def opened(tmp_path):
    """Function: -> a journal in tmp_path; all are closed at the end."""
    made = []

    def start(**settings):
        made.append(Journal(tmp_path / "journal", **settings))
        return made[-1]

    yield start
    for journal in made:
        if journal.writer.is_alive():
            journal.close()


@pytest.fixture
def purchase():
    """Function: event id -> an event; other fields by name."""

    def make(name, **changes):
        return {"event_id": name, "user_id": "u1", "item_id": "a", "event": "purchase"} | changes

    return make
