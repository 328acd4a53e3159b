import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg2
import pytest

from homes import home_of_its_own
from recloop.errors import Stopped
from recloop_pipelines import local
from recloop_pipelines.local import components as parts
from recloop_pipelines.local import supervision
from recloop_pipelines.local.installation import installation, with_free_ports
from recloop_pipelines.local.services import _with_needs

STORES = ("postgres", "seaweedfs")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Settings of a home with PostgreSQL and SeaweedFS up."""
    found = home_of_its_own(tmp_path_factory.mktemp("local"))
    (found.folder / "postgres.new").mkdir()
    (found.folder / "postgres.new" / "PG_VERSION").write_text("16")
    try:
        local.up(found, only=STORES)
        yield found
    finally:
        local.down(found)


def connect(here, name="recloop"):
    made = installation(here.folder, None)
    return psycopg2.connect(
        host="127.0.0.1", port=made.ports["postgres"], user="recloop", password=made.secrets["database"], dbname=name
    )


def until(holds, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_status_names_every_component_with_its_health(here):
    found = {c["name"]: c for c in local.status(here)}
    assert found["postgres"]["healthy"]
    assert found["seaweedfs"]["pid"]
    assert not found["mlflow"]["healthy"]
    assert {"airflow-scheduler", "service", "docs"} <= set(found)


def test_each_has_a_data_base_of_its_own(here):
    for name in ("airflow", "mlflow", "recloop"):
        with connect(here, name) as connection, connection.cursor() as cursor:
            cursor.execute("select current_database()")
            assert cursor.fetchone() == (name,)


def test_a_wrong_password_is_refused(here):
    made = installation(here.folder, None)
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(host="127.0.0.1", port=made.ports["postgres"], user="recloop", password="x", dbname="recloop")


def test_secrets_are_readable_by_their_owner_only(here):
    for name in ("local.json", "local.env", "s3.json", "keys.json", "supervisord.conf", "airflow/passwords.json"):
        assert stat.S_IMODE((here.folder / name).stat().st_mode) == 0o600, name


def test_everything_listens_on_loopback_only(here):
    pids = {process.pid for process in supervision.leftovers(installation(here.folder, None))}
    listens = [c for c in psutil.net_connections("inet") if c.pid in pids and c.status == psutil.CONN_LISTEN]
    assert {c.laddr.ip for c in listens} == {"127.0.0.1"}


def test_a_killed_component_comes_back(here):
    before = next(c["pid"] for c in local.status(here) if c["name"] == "seaweedfs")
    os.kill(before, signal.SIGKILL)

    def back():
        now = next(c for c in local.status(here) if c["name"] == "seaweedfs")
        return now["healthy"] and now["pid"] != before

    assert until(back)


def test_down_and_up_keep_data_and_addresses_and_leave_no_orphan(here):
    with connect(here) as connection, connection.cursor() as cursor:
        cursor.execute("create table kept (n int); insert into kept values (7)")
    address = local.environment(here)
    assert set(local.down(here)) == set(STORES)
    assert supervision.leftovers(installation(here.folder, None)) == []
    assert local.down(here) == []
    local.up(here, only=STORES)
    assert local.environment(here) == address
    with connect(here) as connection, connection.cursor() as cursor:
        cursor.execute("select n from kept")
        assert cursor.fetchone() == (7,)


def test_up_survives_a_machine_that_was_cut_off(here):
    made = installation(here.folder, None)
    os.kill(int(supervision.client(made).getPID()), signal.SIGKILL)
    for process in supervision.leftovers(made):
        process.kill()
    assert until(lambda: not supervision.leftovers(made))
    assert all(c["healthy"] for c in local.up(here, only=STORES))


def test_a_process_that_renames_itself_is_found_again(tmp_path):
    made = installation(tmp_path, None)
    rename = f"import setproctitle; setproctitle.setproctitle('{'renamed ' * 99}'); print(flush=True); input()"
    env = os.environ | parts.components(made)[-1].environment
    with subprocess.Popen(
        [sys.executable, "-c", rename], env=env, stdin=-1, stdout=-1, start_new_session=True
    ) as process:
        process.stdout.readline()
        assert [found.pid for found in supervision.leftovers(made)] == [process.pid]
        process.communicate(b"\n")


def test_down_leaves_no_orphan_that_will_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr(supervision, "PATIENCE", 0.2)
    here = home_of_its_own(tmp_path)
    made = installation(here.folder, None)
    env = os.environ | parts.components(made)[-1].environment
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", deaf], env=env, stdout=-1) as process:
        process.stdout.readline()
        local.down(here)
        left = supervision.leftovers(made)
        process.kill()
    assert left == []


def test_up_survives_a_home_that_was_removed_while_it_ran(tmp_path):
    here = home_of_its_own(tmp_path / "home")
    try:
        local.up(here, only=("postgres",))
        made = installation(here.folder, None)
        supervisor = psutil.Process(int(supervision.client(made).getPID()))
        old = [supervisor, *supervisor.children(recursive=True)]
        shutil.rmtree(here.folder)
        here = home_of_its_own(tmp_path / "home")
        assert all(c["healthy"] for c in local.up(here, only=("postgres",)))
        assert not any(process.is_running() for process in old)
    finally:
        local.down(here)


def test_up_twice_changes_nothing(here):
    before = {c["name"]: c["pid"] for c in local.status(here)}
    local.up(here, only=STORES)
    assert {c["name"]: c["pid"] for c in local.status(here)} == before


def test_up_with_another_configuration_is_refused_while_it_runs(here, tmp_path):
    with pytest.raises(Stopped, match=r"(?s)retail.*other.*recloop down"):
        local.up(here, config=tmp_path / "other.yaml", only=STORES)


def test_two_ups_at_once_start_one_supervisor(tmp_path):
    here = home_of_its_own(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        ups = [pool.submit(local.up, here, only=("postgres",)) for _ in range(2)]
        try:
            pids = [next(c["pid"] for c in up.result() if c["name"] == "postgres") for up in ups]
        finally:
            local.down(here)
    assert pids[0] == pids[1]


def test_what_a_component_needs_starts_with_it(tmp_path):
    known = parts.components(installation(tmp_path, None))
    assert [part.name for part in _with_needs(known, ("mlflow",))] == ["postgres", "seaweedfs", "mlflow"]


def test_no_secret_is_in_a_command_which_every_user_of_the_machine_can_read(tmp_path):
    made = installation(tmp_path, None)
    for part in parts.components(made):
        assert not any(secret in " ".join(part.command) for secret in made.secrets.values()), part.name


def test_a_taken_port_is_replaced_and_none_is_given_twice(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        made = installation(tmp_path, None)
        made.ports["service"] = made.ports["docs"] = taken.getsockname()[1]
        found = with_free_ports(made).ports
        assert made.ports["service"] not in found.values()
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("script", ["echo no such luck; exit 3", "echo no such luck; sleep 1.2; exit 3"])
def test_a_component_that_dies_at_once_or_soon_after_is_named_with_its_log(tmp_path, monkeypatch, script):
    broken = parts.Component(
        name="broken",
        command=("sh", "-c", script),
        health="tcp:1",
        url="",
        after=(),
        environment={"RECLOOP_HOME": str(tmp_path), "RECLOOP_COMPONENT": "broken"},
        stop="TERM",
    )
    monkeypatch.setattr("recloop_pipelines.local.services.components", lambda made: [broken])
    here = home_of_its_own(tmp_path)
    try:
        with pytest.raises(Stopped, match=r"(?s)broken.*no such luck"):
            local.up(here)
    finally:
        local.down(here)
