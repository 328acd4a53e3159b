import pytest

from recloop.errors import Stopped
from recloop_pipelines.following import ended, follow, until


class Airflow:
    """Runs of one DAG, newest first, as the API gives them; each look finds the next states."""

    def __init__(self, *states):
        self.states = list(states)

    def runs(self, dag):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        newest = {"run_after": "2026-01-02", "dag_run_id": "second", "state": state}
        return [newest, {"run_after": "2026-01-01", "dag_run_id": "first", "state": "success"}]

    def tasks(self, dag, run):
        return [
            {"task_id": "collect", "state": "success"},
            {"task_id": "check", "state": "failed" if run == "second" else "success"},
        ]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Nobody sleeps."""
    monkeypatch.setattr("recloop_pipelines.following.time.sleep", lambda seconds: None)


def test_a_run_is_followed_to_its_end():
    found = ended(Airflow("queued", "running", "failed"), "ingest_events", 1)
    assert (found.run, found.good, found.failed) == ("second", False, ("check",))


def test_runs_are_counted_from_the_oldest():
    assert follow(Airflow("running"), "ingest_events", 0).run == "first"


def test_a_failed_run_stops_and_names_its_task():
    with pytest.raises(Stopped, match="ingest_events failed in check"):
        follow(Airflow("failed"), "ingest_events", 1)


def test_what_never_holds_is_given_up():
    with pytest.raises(Stopped, match="the service did not get ready"):
        until(lambda: False, "the service", seconds=0.01)
