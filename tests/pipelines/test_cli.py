import json
import subprocess
import sys
from pathlib import Path

import pytest

from recloop.serving.segment import encode

COMMANDS = [
    "demo",
    "up",
    "down",
    "status",
    "run",
    "ingest",
    "train",
    "evaluate",
    "release",
    "rollback",
    "serve",
    "replay",
    "score",
    "doctor",
    "salvage",
    "compare",
    "tune",
    "card",
]


def recloop(*words, cwd=None):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "recloop_pipelines", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def test_help_names_every_command():
    found = recloop("--help").stdout
    assert all(f" {name} " in found for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_an_example(name):
    assert f"recloop {name}" in recloop(name, "--help").stdout


def test_three_wrong_keys_are_reported_at_once(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("scenario: Bad Name\ndata: {source: table, untill: x}\ngate: {metrik: 1}\n")
    found = recloop("run", str(path))
    assert found.returncode == 3
    assert all(key in found.stderr for key in ("scenario", "data.untill", "gate.metrik"))
    assert "3 wrong keys" in found.stderr


def test_a_missing_scenario_lists_what_exists():
    found = recloop("run", "no-such-shop")
    assert found.returncode == 3
    assert "retail" in found.stderr


def test_run_emits_one_json_object(shop):
    found = recloop("run", str(shop), "--json")
    assert found.returncode == 0, found.stderr[-2000:]
    body = json.loads(found.stdout)
    assert {"scenario", "release", "gate", "protocol", "models", "seconds"} <= set(body)
    assert set(body["gate"]) == {"decision", "reasons"}


def test_a_refusal_has_an_exit_code_of_its_own(shop):
    shop.write_text(shop.read_text().replace("min_users: 20", "min_users: 9999"))
    assert recloop("run", str(shop)).returncode == 4


def test_doctor_says_what_to_do_about_a_bad_configuration(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("scenario: x\n")
    found = recloop("doctor", str(path), "--json")
    assert found.returncode == 3
    rows = {row["name"]: row for row in json.loads(found.stdout)}
    assert rows["configuration"]["level"] == "fail"
    assert rows["Python"]["level"] == "ok"


def test_serving_beyond_loopback_without_keys_is_refused(shop):
    found = recloop("serve", "--scenario", str(shop), "--host", "0.0.0.0", "--port", "0")
    assert found.returncode == 3
    assert "RECLOOP_KEYS" in found.stderr


def test_a_damaged_journal_is_salvaged_by_a_command(tmp_path):
    path = tmp_path / "active.log"
    sound = [encode({"kind": "event", "event_id": f"e{n}"}) for n in range(3)]
    path.write_bytes(sound[0] + sound[1][:-2] + b"xx" + sound[2])
    done = recloop("salvage", str(path), "--json")
    assert done.returncode == 0, done.stderr
    (aside,) = json.loads(done.stdout)[str(path)]
    assert Path(aside).exists()
    assert path.read_bytes() == sound[0] + sound[2]


def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user,item\nu1,i1\n" * 50)
    done = recloop("salvage", str(path))
    assert done.returncode == 3
    assert "no record of a journal" in done.stderr
    assert path.read_text() == "user,item\nu1,i1\n" * 50
