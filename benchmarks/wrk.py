"""Load by wrk, a load generator in C: requests, seconds, percentiles of latency, and how many failed."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ABSENT = "The load generator wrk is not there: `apt-get install wrk` (Debian, Ubuntu), `brew install wrk` (macOS)."
SCRIPT = """
local names = {{}}
local made, thread_number = 0, 0
function setup(thread) thread:set("number", thread_number); thread_number = thread_number + 1 end
function init(args)
  math.randomseed(7 + number)
  for line in io.lines("{users}") do names[#names + 1] = line end
end
function request() made = made + 1; return wrk.format("POST", "{path}", {{["content-type"] = "application/json"}}, body()) end
{delay}
function body() {body} end
function done(summary, latency, requests)
  io.write(string.format(
    '\\nJSON{{"requests":%d,"failed":%d,"refused":%d,"seconds":%.4f,"p50_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f}}\\n',
    summary.requests, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3))
end
"""
ASK = """return '{"user_id":"' .. names[math.random(#names)] .. '"}'"""
EVENT = """return event()"""
ONE = """
function event()
  return '{{"event_id":"{run}-' .. number .. '-' .. made .. '-' .. math.random(1e9) .. '","user_id":"' ..
    names[math.random(#names)] .. '","item_id":"i' .. math.random(9999) .. '","event":"view"}}'
end
"""
MANY = """
function body()
  local all = {{}}
  for n = 1, {batch} do made = made + 1; all[n] = event() end
  return '{{"events":[' .. table.concat(all, ",") .. ']}}'
end
"""


def require() -> None:
    """End with what to do where wrk is not installed."""
    if not shutil.which("wrk"):
        sys.exit(ABSENT)


def recommendations(url: str, users: list[str], *, connections: int, seconds: float) -> dict[str, Any]:
    """Ask for users drawn at random."""
    return _run(url, "/v1/recommendations", users, ASK, "", connections, seconds)


def events(
    url: str, users: list[str], *, run: str, connections: int, seconds: float, batch: int = 1, pause_ms: int = 0
) -> dict[str, Any]:
    """Send events of new ids, one or `batch` in a request; each connection pauses before each, `pause_ms` on average.

    Pauses are exponential, so that connections do not march in step.
    """
    more = ONE.format(run=run) + (MANY.format(batch=batch) if batch > 1 else "")
    delay = f"function delay() return math.floor(-{pause_ms} * math.log(1 - math.random())) end" if pause_ms else ""
    return _run(url, "/v1/events", users, EVENT, delay, connections, seconds, more)


def _run(
    url: str, path: str, users: list[str], body: str, delay: str, connections: int, seconds: float, more: str = ""
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        names, script = Path(folder) / "users", Path(folder) / "load.lua"
        names.write_text("\n".join(users))
        script.write_text(SCRIPT.format(users=names, path=path, delay=delay, body=body) + more)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(script), url]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line.removeprefix("JSON") for line in told.stdout.splitlines() if line.startswith("JSON")]
    if not found:
        sys.exit(f"wrk gave no figures: {told.stdout[-400:]}{told.stderr[-400:]}")
    figures: dict[str, Any] = json.loads(found[0])
    return figures | {"rps": round(figures["requests"] / figures["seconds"], 1)}
