import multiprocessing
import socket
import sqlite3
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

import rivals
from recloop import ledger
from recloop.errors import BadConfig, Busy, Unavailable

MOVE = ledger.Move("retail", 1, "s3://b/r/1", "d1", "first release", "run-1", 100.0)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A data base of each kind in which nothing was made yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    place = sa.make_url(request.getfixturevalue("embedded")["RECLOOP_DATABASE"])
    schema = f"ledger_{uuid.uuid4().hex}"
    engine = sa.create_engine(place, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    return place.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)


@pytest.fixture
def engine(url):
    return ledger.connect(url)


def test_acquire_refuses_a_second_holder_and_names_the_first(engine):
    ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    with pytest.raises(Busy, match=r"retail is held by run-1 since 1970-01-01T00:16:40\+00:00"):
        ledger.acquire(engine, "retail", "run-2", now=1059.0, ttl=60)


def test_acquire_gives_the_same_holder_the_same_token_and_a_longer_lease(engine):
    first = ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    assert ledger.acquire(engine, "retail", "run-1", now=1050.0, ttl=60) == first
    assert ledger.lease(engine, "retail") == ledger.Lease("retail", "run-1", first, since=1000.0, expires=1110.0)


def test_acquire_takes_an_expired_lease_with_a_larger_token(engine):
    first = ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    assert ledger.acquire(engine, "retail", "run-2", now=1060.0, ttl=60) == first + 1


def test_an_expired_holder_gets_a_larger_token_when_it_comes_back(engine):
    first = ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    assert ledger.acquire(engine, "retail", "run-1", now=1060.0, ttl=60) == first + 1


def test_tokens_grow_across_releases(engine):
    tokens = []
    for run in ("run-1", "run-2", "run-1"):
        tokens.append(ledger.acquire(engine, "retail", run, now=1000.0, ttl=60))
        ledger.release(engine, "retail", token=tokens[-1])
    assert tokens == [1, 2, 3]


def test_scenarios_do_not_share_a_lease(engine):
    ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    assert ledger.acquire(engine, "movies", "run-2", now=1000.0, ttl=60) == 1


def test_renew_extends_the_lease(engine):
    token = ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    ledger.renew(engine, "retail", token=token, now=1050.0, ttl=60)
    with pytest.raises(Busy):
        ledger.acquire(engine, "retail", "run-2", now=1100.0, ttl=60)


def test_renew_refuses_a_token_that_was_overtaken(engine):
    old = ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    ledger.acquire(engine, "retail", "run-2", now=1060.0, ttl=60)
    with pytest.raises(Busy, match="run-2"):
        ledger.renew(engine, "retail", token=old, now=1061.0, ttl=60)


def test_renew_refuses_a_lease_that_was_given_back(engine):
    token = ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    ledger.release(engine, "retail", token=token)
    with pytest.raises(Busy, match="nobody holds it"):
        ledger.renew(engine, "retail", token=token, now=1001.0, ttl=60)


def test_release_with_an_old_token_leaves_the_new_holder_alone(engine):
    old = ledger.acquire(engine, "retail", "run-1", now=1000.0, ttl=60)
    ledger.acquire(engine, "retail", "run-2", now=1060.0, ttl=60)
    ledger.release(engine, "retail", token=old)
    assert ledger.lease(engine, "retail").holder == "run-2"


@pytest.mark.parametrize("round_", range(5))
def test_of_16_rival_threads_exactly_one_holds_the_lease(engine, round_):
    gate = threading.Barrier(16)

    def rival(number: int) -> int | None:
        gate.wait()
        try:
            return ledger.acquire(engine, "retail", f"run-{number}", now=1000.0, ttl=60)
        except Busy:
            return None

    with ThreadPoolExecutor(16) as pool:
        won = [token for token in pool.map(rival, range(16)) if token is not None]
    assert won == [1]


def test_of_rival_processes_that_start_together_exactly_one_holds_the_lease(url):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["recloop.ledger"])
    gate, won = context.Barrier(16), context.Queue()
    processes = [context.Process(target=rivals.rival, args=(url, n, gate, won)) for n in range(16)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 16
    assert ledger.lease(ledger.connect(url), "retail").holder == f"run-{won.get()}"
    assert won.empty()


def test_the_lease_of_a_killed_holder_runs_out(url):
    context = multiprocessing.get_context("forkserver")
    ready, child = context.Pipe()
    process = context.Process(target=rivals.hold, args=(url, child))
    process.start()
    assert ready.recv()
    process.kill()
    process.join()
    engine = ledger.connect(url)
    with pytest.raises(Busy):
        ledger.acquire(engine, "retail", "run-2", now=1059.0, ttl=60)
    assert ledger.acquire(engine, "retail", "run-2", now=1060.0, ttl=60) == 2


def test_held_gives_the_lease_back_when_the_block_raises(engine):
    with (
        pytest.raises(KeyError),
        ledger.held(engine, "retail", "run-1", ttl=60, clock=lambda: 1000.0),
    ):
        raise KeyError
    assert ledger.lease(engine, "retail").holder == ""


def test_held_renews_by_the_clock_it_is_given(engine):
    beats = threading.Event()
    times = iter([1000.0, 1000.0, 1030.0])

    def clock() -> float:
        moment = next(times, 1030.0)
        if moment == 1030.0:
            beats.set()
        return moment

    with ledger.held(engine, "retail", "run-1", ttl=0.03, clock=clock):
        assert beats.wait(10)
    assert ledger.lease(engine, "retail").since == 1000.0


def test_held_reports_a_lease_that_another_holder_took(engine):
    def overtaken() -> None:
        with ledger.held(engine, "retail", "run-1", ttl=0.03, clock=lambda: 1000.0) as state:
            ledger.acquire(engine, "retail", "run-2", now=2000.0, ttl=60)
            while not state.lost:
                threading.Event().wait(0.01)

    with pytest.raises(Busy, match="run-2"):
        overtaken()
    assert ledger.lease(engine, "retail").holder == "run-2"


def test_held_survives_an_outage_that_is_shorter_than_the_lease(engine):
    failures = threading.Semaphore(0)

    class Flaky:
        url = engine.url

        def __init__(self):
            self.down = False

        def begin(self):
            if self.down:
                failures.release()
                raise ledger.DBAPIError("", {}, OSError("down"))
            return engine.begin()

    flaky = Flaky()
    with ledger.held(flaky, "retail", "run-1", ttl=0.03, clock=lambda: 1000.0) as state:
        flaky.down = True
        assert failures.acquire(timeout=10)
        assert failures.acquire(timeout=10)
        flaky.down = False
        state.check()


def test_a_dead_data_base_is_unavailable_and_named_without_its_password():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable, match=rf"postgresql\+psycopg2://me:\*\*\*@127.0.0.1:{port}/recloop"):
        ledger.connect(f"postgresql+psycopg2://me:secret@127.0.0.1:{port}/recloop")


@pytest.mark.parametrize("url", ["nonsense", "mysql://me:secret@host/recloop", ""])
def test_another_data_base_is_refused_without_showing_the_password(url):
    with pytest.raises(BadConfig, match="sqlite, postgresql") as found:
        ledger.connect(url)
    assert "secret" not in str(found.value)


def test_a_data_base_that_stays_locked_is_unavailable(tmp_path, monkeypatch):
    monkeypatch.setitem(ledger._LIMITS["sqlite"], "timeout", 0.01)
    engine = ledger.connect(f"sqlite:///{tmp_path}/ledger.db")
    blocker = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="locked"):
        ledger.acquire(engine, "retail", "run-1", now=1.0, ttl=1)
    blocker.close()


def test_connect_twice_keeps_what_is_there(url):
    ledger.record(ledger.connect(url), MOVE)
    assert ledger.moves(ledger.connect(url), "retail") == (MOVE,)


def test_the_same_move_is_recorded_once(engine):
    ledger.record(engine, MOVE)
    ledger.record(engine, MOVE)
    assert ledger.moves(engine, "retail") == (MOVE,)


def test_moves_come_oldest_first_and_by_scenario(engine):
    second = ledger.Move("retail", 2, "s3://b/r/2", "d2", "better", "run-2", 90.0)
    for move in (MOVE, second, ledger.Move("movies", 1, "s3://b/m/1", "d3", "first", "run-3", 95.0)):
        ledger.record(engine, move)
    assert ledger.moves(engine, "retail") == (MOVE, second)
