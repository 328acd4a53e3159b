"""Airflow's REST API as the loop needs it: trigger a DAG, announce an asset, follow runs."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from recloop.errors import BadConfig, Unavailable
from recloop_pipelines.settings import settings

CREDENTIALS = "RECLOOP_AIRFLOW_CREDENTIALS"
"""environment: a 0600 JSON file with `username` and `password`"""
SECONDS = 60.0
"""in which an API server answers that shares its cores with a training"""


class AirflowApi:
    """A session with one API server. Raises Unavailable where it does not answer."""

    def __init__(self, url: str, *, username: str, password: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=SECONDS)
        self.login = {"username": username, "password": password}

    @classmethod
    def from_environment(cls, url: str) -> "AirflowApi":
        """Credentials from the file that the environment names."""
        path = os.environ.get(CREDENTIALS, "")
        if not path:
            raise BadConfig(f"{url} wants a login: set {CREDENTIALS} to a file with username and password (JSON).")
        return cls(url, **json.loads(Path(path).read_text()))

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        """Start a run with these params; returns its id."""
        return str(
            self._call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"]
        )

    def announce(self, asset: str, extra: dict[str, str]) -> None:
        """Create an event of the asset, which wakes the DAGs that wait for it."""
        found = self._call("GET", f"/api/v2/assets?name_pattern={asset}")["assets"]
        ids = [a["id"] for a in found if a["name"] == asset]
        if not ids:
            raise Unavailable(f"Airflow does not know the asset {asset} yet: its DAGs are not parsed. Try again.")
        self._call("POST", "/api/v2/assets/events", {"asset_id": ids[0], "extra": extra})

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Runs of a DAG, newest first."""
        return list(self._call("GET", f"/api/v2/dags/{dag}/dagRuns?order_by=-id&limit=20")["dag_runs"])

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """Task instances of a run."""
        return list(self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"])

    def xcom(self, dag: str, run: str, task: str) -> str | None:
        """The URI that a task returned; None where it returned none."""
        entries = self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries")[
            "xcom_entries"
        ]
        if not any(e["key"] == "return_value" for e in entries):
            return None
        path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value?deserialize=true"
        return str(self._call("GET", path)["value"])

    def dags(self) -> list[str]:
        """Ids of the DAGs that are parsed."""
        return [d["dag_id"] for d in self._call("GET", "/api/v2/dags?limit=100")["dags"]]

    @retry(
        retry=retry_if_exception_type(httpx.TransportError),
        stop=stop_after_delay(2 * SECONDS),
        wait=wait_exponential(0.2, max=3),
        reraise=True,
    )
    def _send(self, method: str, path: str, body: Any) -> httpx.Response:
        if "Authorization" not in self.client.headers:
            token = self.client.post("/auth/token", json=self.login).raise_for_status().json()["access_token"]
            self.client.headers["Authorization"] = f"Bearer {token}"
        return self.client.request(method, path, json=body)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._send(method, path, body)
            if answer.status_code == 401:
                del self.client.headers["Authorization"]
                answer = self._send(method, path, body)
            return answer.raise_for_status().json()
        except httpx.HTTPError as error:
            text = error.response.text[:300] if isinstance(error, httpx.HTTPStatusError) else ""
            raise Unavailable(
                f"Airflow at {self.client.base_url} did not serve {method} {path}: {error} {text}. See `recloop status`."
            ) from error


def wake(asset: str, uri: str, scenario: str) -> None:
    """Tell Airflow, where one is used, that a scenario's asset is there, which wakes the DAGs that wait for it."""
    if settings().airflow:
        AirflowApi.from_environment(settings().airflow).announce(asset, {"uri": uri, "scenario": scenario})
