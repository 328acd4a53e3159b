"""The exported sequence encoder: histories -> states, by ONNX Runtime, without torch."""

import json
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from recloop.data.discoveries import discoveries
from recloop.data.histories import Histories
from recloop.models.approximate import Index
from recloop.models.context import context_of
from recloop.models.laps import lap
from recloop.models.retrieval import Exact, Logits
from recloop.models.tails import fed, tails

F32 = NDArray[np.float32]
ROWS = 128


def session(path: Path, *, threads: int) -> ort.InferenceSession:
    """ONNX file -> session on the CPU with a fixed number of threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


class Encoder:
    """States of histories and vectors of items; their dot product is the model's logit."""

    def __init__(
        self, run: ort.InferenceSession, vectors: F32, known: NDArray[np.bool_], *, length: int, repeats: bool
    ) -> None:
        self.run, self.vectors, self.known, self.length, self.repeats = run, vectors, known, length, repeats
        self.context = json.loads(run.get_modelmeta().custom_metadata_map.get("context", "[]"))
        self.inputs = [one.name for one in run.get_inputs()]
        self.index: Index | None = None
        """where a release chose one; else all vectors are looked at"""

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "Encoder":
        """Read encoder.onnx, item_vectors.npy and item_known.npy."""
        vectors = np.load(folder / "item_vectors.npy", allow_pickle=False)
        known = np.load(folder / "item_known.npy", allow_pickle=False)
        run = session(folder / "encoder.onnx", threads=threads)
        facts = run.get_modelmeta().custom_metadata_map
        made = cls(run, vectors, known, length=int(facts["length"]), repeats=facts.get("repeats") != "0")
        made.index = Index.chosen(folder, vectors, known)
        return made

    def encode(self, histories: Histories) -> F32:
        """Histories -> the state after each row's last event; zero where a row is empty. [n, dim]"""
        out = np.zeros((len(histories), self.vectors.shape[1]), dtype=np.float32)
        histories = histories if self.repeats else discoveries(histories)
        context = context_of(histories, self.context)
        for part in tails(histories, length=self.length, block=ROWS):
            feed = fed(part, context)
            out[part.rows] = self.run.run(["state"], {name: feed[name] for name in self.inputs})[0]
        return out

    def scores(self, histories: Histories) -> F32:
        """Logit of every item after each row's history. [n, n_codes]"""
        return self.encode(histories) @ self.turned

    def logits(self, histories: Histories) -> Logits:
        """What it says of each row: the best items, and any pair's logit."""
        with lap("encode"):
            states = self.encode(histories)
        with lap("search"):
            return Exact(states @ self.turned) if self.index is None else self.index.logits(states)

    @cached_property
    def turned(self) -> F32:
        """The vectors as a product wants them. [dim, n_codes]"""
        return np.ascontiguousarray(self.vectors.T)
