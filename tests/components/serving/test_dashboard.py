import json
import re
from pathlib import Path

import pytest
import yaml

from recloop.serving.engine import Engine
from recloop.serving.monitoring import Monitoring
from recloop.serving.state import State

GRAFANA = Path(__file__).parents[3] / "infra" / "grafana"
METRIC = re.compile(r"\brecloop_\w+")


@pytest.fixture(scope="module")
def queries():
    panels = json.loads((GRAFANA / "recloop.json").read_text())["panels"]
    return {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in panels}


def measured():
    """Names of samples that /metrics gives, also of figures that nothing has touched yet."""
    monitoring = Monitoring()
    monitoring.seconds.labels("recommendations").observe(0.1)
    for counter in (monitoring.events, monitoring.flagged, monitoring.refused, monitoring.responses):
        counter.labels("x").inc()
    monitoring.release.info({"digest": "d", "generation": "1"})
    text = monitoring.text(Engine(State(), k=1, max_k=1), None).decode()
    return {re.split(r"[ {]", line)[0] for line in text.splitlines() if not line.startswith("#")}


def test_the_dashboard_asks_only_for_what_the_service_measures(queries):
    asked = {name for found in queries.values() for query in found for name in METRIC.findall(query)}
    assert asked - measured() == set()


def test_every_figure_that_is_documented_is_measured():
    page = (GRAFANA.parents[1] / "docs" / "clients.md").read_text()
    documented = set(re.findall(r"^\| `(recloop_\w+)`", page, flags=re.MULTILINE))
    assert len(documented) > 5
    assert {name for name in documented if not any(sample.startswith(name) for sample in measured())} == set()


def test_every_panel_has_its_place_and_none_covers_another():
    panels = json.loads((GRAFANA / "recloop.json").read_text())["panels"]
    cells = [(x, y) for panel in panels for x, y in _cells(**panel["gridPos"])]
    assert len(cells) == len(set(cells))


def _cells(h, w, x, y):
    return [(x + right, y + down) for right in range(w) for down in range(h)]


def test_prometheus_is_told_where_the_service_is():
    (job,) = yaml.safe_load((GRAFANA / "prometheus.yaml").read_text())["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:8080"]
