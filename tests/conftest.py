import os
import signal
from pathlib import Path

import boto3
import hypothesis
import pytest

from homes import home_of_its_own
from recloop_pipelines import local
from recloop_pipelines.settings import settings

CLEAN = ("RECLOOP_", "AWS_", "MLFLOW_")


def pytest_configure():
    """A session that is told to end stops what it started; no property fails because the machine is busy."""
    hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("busy")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No test sees another's settings or this machine's."""
    for name in list(os.environ):
        if name.startswith(CLEAN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RECLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    settings.cache_clear()
    yield
    settings.cache_clear()
    # it keeps the first credentials that it sees
    boto3.DEFAULT_SESSION = None


@pytest.fixture(scope="session")
def embedded(tmp_path_factory):
    """Environment of a client of the embedded PostgreSQL, SeaweedFS and MLflow, started once a process of pytest."""
    here = home_of_its_own(tmp_path_factory.mktemp("embedded"))
    try:
        local.up(here, only=("mlflow",))
        yield local.environment(here)
    finally:
        local.down(here)


@pytest.fixture
def connected(embedded, monkeypatch, tmp_path):
    """Settings of this process point at the embedded services, with a home of their own."""
    for name, value in embedded.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RECLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECLOOP_STORE", f"s3://recloop/{tmp_path.name}")
    monkeypatch.delenv("RECLOOP_AIRFLOW")
    settings.cache_clear()
    return settings()


@pytest.fixture
def shop(tmp_path) -> Path:
    """A scenario on a small made-up shop: a YAML beside its CSV, learnt in seconds."""
    from shops import write_shop

    return write_shop(tmp_path)
