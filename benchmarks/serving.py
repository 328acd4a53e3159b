"""Requests a second and latency of `recloop serve` on loopback, under wrk, beside the bare framework and the bare model.

    recloop bench serving [--quick] [--json]

Bundles are made by a real fit on a made-up shop of 10,000 items (SASRec, item-kNN, ranker); larger catalogues give each
of its items 10 or 100 variants. The load generator shares the machine's cores with the service. bare_rps: the release's
encoder (ONNX Runtime) and an exact top-k over all items, one request at a time, no HTTP, no ranker. cpu ms: processor
time of the service for a request. refused: 503, because the queue was full. load: of the machine before the run; beside
other work requests a second mean little, cpu ms more.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import catalogue
import contract
import numpy as np
import service
import swapping
import wrk

from recloop.data.grouped import top
from recloop.data.vocabulary import Vocabulary
from recloop.serving.bundle import Bundle

TIMES = {10_000: 1, 100_000: 10, 1_000_000: 100}
CONNECTIONS = (1, 16, 64)
K = 10
HEADS = ("items", "connections", "req/s", "p50 ms", "p99 ms", "p99.9 ms", "failed", "refused", "cpu ms", "bare req/s")


def main() -> None:
    """Measure, and tell."""
    asked = arguments()
    wrk.require()
    with tempfile.TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        found = measured(work, Path(scratch), quick=asked.quick, seconds=asked.seconds)
    keys = ("items", "connections", "rps", "p50_ms", "p99_ms", "p999_ms", "failed", "refused", "cpu_ms", "bare_rps")
    rows = [tuple(f"{row[key]:,}" for key in keys) for row in found["serving"]]
    more = {name: found[name] for name in found if name != "serving"}
    contract.told(found, rows, HEADS, asked)
    if not asked.json:
        contract.say(json.dumps(more, indent=1))


def arguments() -> Any:
    """--json, --quick, --out, and what is this benchmark's own."""
    parser = contract.parser(__doc__ or "")
    parser.add_argument("--work", type=Path, help="keep the bundles in this folder for the next run")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement (3 with --quick)")
    return parser.parse_args()


def measured(work: Path, scratch: Path, *, quick: bool, seconds: float) -> dict[str, Any]:
    """Everything; sizes and connections fewer with `quick`."""
    seconds = min(seconds, 3.0) if quick else seconds
    sizes = [10_000] if quick else list(TIMES)
    bundles = {size: bundle_of(work, size) for size in sizes}
    config = scratch / "config.json"
    config.write_text(catalogue.settings())
    found: dict[str, Any] = {
        "load": os.getloadavg()[0],
        "framework_rps": framework(scratch / "trivial", bundles[10_000], seconds),
        "serving": [],
    }
    memory, started = {}, {}
    for size, bundle in bundles.items():
        rows, memory[size], started[size] = one(scratch / f"of-{size}", config, bundle, seconds, quick=quick)
        found["serving"] += rows
    found["events"] = events(scratch / "events", config, bundles[10_000], seconds)
    found["swap"] = swap(scratch / "swap", config, bundles[10_000], work, quick=quick)
    found["swap_seconds"] = round(found["swap"].pop("seconds"), 3)
    found["cold_start_seconds"] = {str(size): round(value, 2) for size, value in started.items()}
    found["memory_mb"] = {str(size): round(value) for size, value in memory.items()}
    if not quick:
        found["memory_mb_per_million_items"] = round((memory[1_000_000] - memory[10_000]) / 0.99)
    return found


def bundle_of(work: Path, size: int) -> Path:
    """The bundle of a size, made where it is not there yet."""
    first = work / "fit" / "bundle"
    if not first.exists():
        contract.say("fitting SASRec, item-kNN and a ranker on a made-up shop of 10,000 items")
        catalogue.fitted(work / "fit")
    if TIMES[size] == 1:
        return first
    grown = work / f"of-{size}"
    if not grown.exists():
        contract.say(f"growing its catalogue to {size:,} items")
        catalogue.grown(first, TIMES[size], grown)
    return grown


def framework(folder: Path, bundle: Path, seconds: float) -> float:
    """Requests a second of the app that does nothing, at 16 connections."""
    with service.trivial(folder) as running:
        return float(wrk.recommendations(running.url, users_of(bundle), connections=16, seconds=seconds)["rps"])


def one(
    folder: Path, config: Path, bundle: Path, seconds: float, *, quick: bool
) -> tuple[list[dict[str, Any]], float, float]:
    """A size of catalogue at every number of connections -> rows, MB of memory, seconds of a cold start."""
    users = users_of(bundle)
    size, bare = bare_loop(bundle, seconds)
    rows = []
    with service.serving(folder, config, bundle) as running:
        wrk.recommendations(running.url, users, connections=4, seconds=1)
        for connections in CONNECTIONS[:2] if quick else CONNECTIONS:
            before = running.cpu_seconds
            told = wrk.recommendations(running.url, users, connections=connections, seconds=seconds)
            cpu = round(1000 * (running.cpu_seconds - before) / max(told["requests"], 1), 3)
            rows.append({"items": size, "connections": connections, **told, "cpu_ms": cpu, "bare_rps": bare})
            contract.say(str(rows[-1]))
        return rows, running.memory_mb, running.seconds


def bare_loop(bundle: Path, seconds: float) -> tuple[int, float]:
    """Items, and requests a second of encoder and exact top-k alone."""
    loaded = Bundle.load(bundle)
    encoder, rng = loaded.model.model.parts.encoder, np.random.default_rng(0)
    rows = [loaded.past.part(n, n + 1) for n in rng.integers(0, len(loaded.past), 200)]
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < min(seconds, 4):
        top(encoder.scores(rows[done % len(rows)]), K)
        done += 1
    return len(loaded.items), round(done / (time.perf_counter() - start), 1)


def events(folder: Path, config: Path, bundle: Path, seconds: float) -> dict[str, Any]:
    """Events one by one and in batches, all on disk before they are acknowledged."""
    users = users_of(bundle)
    with service.serving(folder, config, bundle) as running:
        single = wrk.events(running.url, users, run="a", connections=64, seconds=seconds)
        # each connection pauses so long that all together ask half as often
        pause = round(1000 * 2 * 64 / single["rps"])
        half = wrk.events(running.url, users, run="b", connections=64, seconds=seconds, pause_ms=pause)
        many = wrk.events(running.url, users, run="c", connections=4, seconds=seconds, batch=1000)
        seen = swapping.visible(running.url, users, 300)
    return {
        "http_rps": single["rps"],
        "failed": single["failed"] + single["refused"],
        "half_load_rps": half["rps"],
        "p99_ms": half["p99_ms"],
        "batch_events_per_s": round(1000 * many["rps"]),
        "batch_failed": many["failed"] + many["refused"],
        "visible_p99_ms": round(seen[int(0.99 * len(seen))], 2),
    }


def swap(folder: Path, config: Path, bundle: Path, work: Path, *, quick: bool) -> dict[str, Any]:
    """Swaps under load between two releases whose items cannot be mistaken for each other."""
    other = work / "renamed"
    if not other.exists():
        catalogue.renamed(bundle, "b-", other)
    return swapping.swaps(folder, config, {"i": bundle, "b-": other}, users_of(bundle), 10 if quick else 200)


def users_of(bundle: Path) -> list[str]:
    """Users whom the bundle knows."""
    return list(Vocabulary.load(bundle / "users.json").ids)


if __name__ == "__main__":
    main()
