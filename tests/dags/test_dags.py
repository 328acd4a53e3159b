import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from listeners import webhook
from recloop_pipelines.settings import settings

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(p for p in DAGS.glob("*.py") if p.stem != "recloop_airflow")
HEAVY = ("torch", "pytorch_lightning", "mlflow", "great_expectations", "pandas", "polars", "boto3", "onnxruntime")


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """What Airflow reads from the folder, in a process of its own: name -> facts."""
    script = f"""
import json, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {str(DAGS)!r})
import importlib
found = {{}}
made = [getattr(importlib.import_module(name), name)() for name in {[p.stem for p in FILES]!r}]
heavy = [m for m in {HEAVY!r} if m in sys.modules]
for dag in made:
    found[dag.dag_id] = dict(
        doc=dag.doc_md, tags=sorted(dag.tags), owner=dag.owner, params={{k: dag.params.get_param(k).schema for k in dag.params}},
        tasks=[t.task_id for t in dag.tasks], outlets=sorted({{a.name for t in dag.tasks for a in t.outlets}}),
        docs=[bool(t.doc_md) for t in dag.tasks], retries=[t.retries for t in dag.tasks],
        told=[[f.__name__ for f in t.on_failure_callback] for t in dag.tasks],
        policy=[t.retry_policy.rules[0].action.value for t in dag.tasks],
        links=[[link.name for link in t.operator_extra_links] for t in dag.tasks],
        woken_by=sorted(a.name for a in dag.timetable.asset_condition.objects), active=dag.max_active_runs)
print("FOUND" + json.dumps(dict(heavy=heavy, dags=found)))
"""
    home = tmp_path_factory.mktemp("airflow")
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "AIRFLOW_HOME": str(home),
            "HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
    )
    import json

    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout.split("FOUND")[-1])


def test_each_file_defines_the_dag_of_its_name(parsed):
    assert sorted(parsed["dags"]) == [p.stem for p in FILES]


def test_parsing_imports_nothing_heavy(parsed):
    assert parsed["heavy"] == []


def test_every_dag_and_task_is_documented_owned_and_tagged(parsed):
    for name, dag in parsed["dags"].items():
        assert dag["doc"], name
        assert dag["owner"] == "recloop"
        assert dag["tags"] == ["recloop"]
        assert all(dag["docs"]), name


def test_params_carry_a_json_schema_for_the_trigger_form(parsed):
    for name, dag in parsed["dags"].items():
        assert dag["params"]["scenario"]["pattern"].startswith("^"), name
        assert all(schema["type"] == "string" for schema in dag["params"].values())


def test_permanent_errors_fail_at_once_and_others_are_retried(parsed):
    for name, dag in parsed["dags"].items():
        assert set(dag["policy"]) == {"fail"}, name
        assert set(dag["retries"]) == {3}


def test_a_task_that_fails_for_good_is_told(parsed):
    assert all(told == ["notify"] for dag in parsed["dags"].values() for told in dag["told"])


def test_the_callback_tells_the_scenario_of_the_run(shop, monkeypatch):
    import recloop_airflow

    monkeypatch.setenv("RECLOOP_CONFIGS", str(shop.parent))
    settings.cache_clear()
    with webhook() as (url, got):
        shop.write_text(shop.read_text() + f"notify: {{webhook: '{url}'}}\n")
        task = SimpleNamespace(task_id="fit")
        recloop_airflow.notify(
            {
                "task_instance": task,
                "params": {"scenario": "shop"},
                "triggering_asset_events": {},
                "exception": OSError("full"),
            }
        )
    assert got[0]["text"] == "shop: fit failed\nfull"


def test_one_run_of_a_dag_at_a_time(parsed):
    assert {dag["active"] for dag in parsed["dags"].values()} == {1}


def test_assets_close_the_loop(parsed):
    wiring = {name: (dag["woken_by"], dag["outlets"]) for name, dag in parsed["dags"].items()}
    assert wiring == {
        "ingest_events": (["feedback"], ["checked"]),
        "train_recommender": (["checked"], ["release"]),
        "watch_feedback": (["journal"], ["feedback"]),
        "score_users": (["release"], ["recommendations"]),
    }


def test_the_check_links_to_its_data_docs(parsed):
    assert parsed["dags"]["ingest_events"]["links"][-1] == ["Data Docs"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_dag_files_are_wiring_without_branches_or_loops(path):
    found = [
        type(n).__name__ for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.If | ast.For | ast.While)
    ]
    assert found == []
