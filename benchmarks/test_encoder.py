"""The exported encoder against torch: one user, one thread, the default sizes of SASRec."""

import time

import numpy as np
import torch

from recloop.config import SASRecConfig
from recloop.models.encoder import session
from recloop.models.export import export
from recloop.models.sasrec import SASRec
from recloop.models.sequence_net import LastState

TIMES = 300


def median(work):
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return 1000 * float(np.median(took))


def test_milliseconds_beside_torch(tmp_path, capsys):
    torch.set_num_threads(1)
    config = SASRecConfig()
    net = LastState(SASRec(10_000, config)).eval()
    items, lengths = torch.ones(1, config.length, dtype=torch.long), torch.tensor([config.length])
    axes = {"items": {0: "batch", 1: "length"}, "lengths": {0: "batch"}, "state": {0: "batch"}}
    path = tmp_path / "encoder.onnx"
    export(net, {"items": items, "lengths": lengths}, "state", axes, path, facts={})
    run = session(path, threads=1)
    feed = {"items": items.numpy(), "lengths": lengths.numpy()}
    own = median(lambda: run.run(["state"], feed))
    with torch.no_grad():
        peer = median(lambda: net(items, lengths))
    with capsys.disabled():
        print(f"\nencoder: {own:.2f} ms, torch {peer:.2f} ms: {peer / own:.1f} times as fast")  # noqa: T201
