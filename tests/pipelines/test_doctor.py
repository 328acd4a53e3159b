import socket

import pytest

from homes import home_of_its_own
from recloop_pipelines import doctor, local

GOOD = "scenario: shop\ndata: {source: table, events: events.csv}\n"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def here(tmp_path):
    (tmp_path / "home").mkdir()
    return home_of_its_own(tmp_path / "home")


def examined(here, config):
    return {finding.name: finding for finding in doctor.examine(here, config)}


def test_a_good_machine_has_no_failure(here, config):
    failed = [f for f in doctor.examine(here, config) if f.level == "fail" and f.name != "disk"]
    assert failed == []


def test_every_finding_that_is_not_ok_says_what_to_do(here, config, monkeypatch):
    monkeypatch.setattr(doctor, "FLOORS", {"torch": "99", "no-such-package": "1"})
    monkeypatch.setattr(doctor, "DISK_GB", 1e9)
    monkeypatch.setattr(doctor, "MEMORY_GB", 1e9)
    config.write_text("scenario: x\n")
    found = examined(here, config)
    for name in ("torch", "no-such-package", "disk", "memory", "configuration"):
        assert found[name].level != "ok", name
        assert found[name].advice, name


def test_a_package_below_its_floor_fails_with_both_versions(here, config, monkeypatch):
    monkeypatch.setattr(doctor, "FLOORS", {"mlflow": "99.1"})
    assert examined(here, config)["mlflow"].level == "fail"
    assert "99.1" in examined(here, config)["mlflow"].advice


def test_a_package_that_differs_from_the_lock_is_named(here, config, tmp_path, monkeypatch):
    (tmp_path / "requirements.lock").write_text(
        "rich==0.1 \\\n    --hash=sha256:00\npsutil==0.2 ; python_version<'3'\n"
    )
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    found = examined(here, config)["lock"]
    assert (found.level, "rich==0.1" in found.found, "psutil" in found.found) == ("warn", True, False)


def test_root_without_setpriv_fails(here, config, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    found = doctor._root()
    assert (found.level, "util-linux" in found.advice) == ("fail", True)


def test_a_taken_port_is_a_warning_that_names_it(here, config, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "USUAL", {"mlflow": port})
        found = examined(here, config)["ports"]
    assert (found.level, found.found) == ("warn", f"taken: mlflow {port}")


def test_services_that_run_are_examined_and_a_sick_one_is_named(here, config):
    assert examined(here, config)["services"].found == "not started"
    try:
        local.up(here, only=("docs",))
        found = examined(here, config)
    finally:
        local.down(here)
    assert "ports" not in found
    assert "postgres" in found["services"].found
    assert "docs" not in found["services"].found


def test_an_unreadable_configuration_names_its_wrong_keys(here, config):
    config.write_text(GOOD + "gate: {metrik: 1}\n")
    assert "gate.metrik" in examined(here, config)["configuration"].found
