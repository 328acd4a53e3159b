"""The one adapter between Airflow and Recloop's steps: assets, retries, and how a URI travels.

A step is a plain function `f(*, config, out, **inputs) -> uri | None`. `step(f)` makes it a task: its inputs come from
earlier tasks or from the asset event that woke the DAG, its URI goes to XCom and rides on the events of its
outlets. A step that returns None had nothing to publish: the task is skipped and its outlets stay silent.
"""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, ExceptionRetryPolicy, Param, RetryAction, RetryRule, get_current_context, task
from airflow.sdk.bases.operatorlink import BaseOperatorLink
from airflow.sdk.exceptions import AirflowSkipException

JOURNAL = Asset(name="journal", uri="recloop://journal", group="recloop")
FEEDBACK = Asset(name="feedback", uri="recloop://feedback", group="recloop")
CHECKED = Asset(name="checked", uri="recloop://checked", group="recloop")
RELEASE = Asset(name="release", uri="recloop://release", group="recloop")
RECOMMENDATIONS = Asset(name="recommendations", uri="recloop://recommendations", group="recloop")


def notify(context: Any) -> None:
    """Tell whom the scenario's section notify names that a task has failed for good."""
    from recloop_pipelines.notifying import failed
    from recloop_pipelines.places import configuration

    task_instance = context["task_instance"]
    failed(configuration(_scenario(context)), task_instance.task_id, context.get("exception") or "without an error")


OPTIONS: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["recloop"],
    "default_args": {
        "owner": "recloop",
        "retries": 3,
        "retry_delay": timedelta(seconds=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=5),
        "on_failure_callback": notify,
        "retry_policy": ExceptionRetryPolicy(
            rules=[RetryRule(exception="recloop.errors.Permanent", action=RetryAction.FAIL)]
        ),
    },
}
"""Of every DAG. `Permanent` errors fail at once: a retry cannot help them."""


def params(**more: Param) -> dict[str, Param]:
    """The trigger form: the scenario, and what one DAG adds."""
    scenario = Param(
        "retail",
        type="string",
        pattern="^[a-z][a-z0-9-]{0,40}$",
        title="Scenario",
        description="A file in configs/, without .yaml",
    )
    return {"scenario": scenario, **more}


def artifact_param(kind: str) -> Param:
    """An artefact URI in the trigger form; empty means the event that woke the DAG, else the newest one."""
    return Param("", type="string", title=kind.capitalize(), description=f"URI of a {kind} artefact; empty: the newest")


class DataDocs(BaseOperatorLink):
    """Link from a task to the Data Docs of its check."""

    name = "Data Docs"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address of this scenario's Data Docs."""
        from recloop_pipelines.ingest import data_docs_url

        return data_docs_url()


def step(
    function: Callable[..., str | None],
    *,
    outlets: tuple[Asset, ...] = (),
    woken_by: tuple[Asset, ...] = (),
    links: tuple[BaseOperatorLink, ...] = (),
    exclusive: bool = False,
    **inputs: Any,
) -> Any:
    """Step -> task instance in the DAG being built.

    An input named like an asset in `woken_by` comes from its event. An `exclusive` step holds the scenario's lease in the
    name of its run, so that a retry takes it over and another run waits.
    """

    @task(task_id=function.__name__, outlets=list(outlets), doc_md=function.__doc__)
    def run(given: dict[str, str]) -> str:
        return _run(function, outlets, woken_by, exclusive, given)

    made = run(inputs)
    made.operator.operator_extra_links = links
    return made


def _run(
    function: Callable[..., str | None],
    outlets: tuple[Asset, ...],
    woken_by: tuple[Asset, ...],
    exclusive: bool,
    given: dict[str, str],
) -> str:
    from recloop_pipelines.lease import leased
    from recloop_pipelines.places import KINDS, configuration, place

    context = get_current_context()
    config = configuration(_scenario(context))
    given = given | {asset.name: _origin(context, asset) for asset in woken_by}
    out = place(
        config, KINDS.get(function.__name__, function.__name__), context["dag_run"].run_after.strftime("%Y%m%dT%H%M%S")
    )
    with leased(config.scenario, holder=f"Airflow run {context['run_id']}") if exclusive else nullcontext():
        uri = function(config=config, out=out, **given)
    if uri is None:
        raise AirflowSkipException(f"{function.__name__} had nothing to publish; see the log for its reasons.")
    for asset in outlets:
        context["outlet_events"][asset].extra = {"uri": uri, "scenario": config.scenario}
    return uri


def _scenario(context: Any) -> str:
    """The scenario of the newest event that woke the run, whichever task asks; else of the trigger form."""
    woken = [event for events in context["triggering_asset_events"].values() for event in events]
    named = [str(event.extra["scenario"]) for event in woken if "scenario" in event.extra]
    return named[-1] if named else str(context["params"]["scenario"])


def _origin(context: Any, asset: Asset) -> str:
    """URI from the newest event of the asset that woke the run, else from the trigger form; '' where neither has one."""
    events = context["triggering_asset_events"].get(asset, [])
    return str(events[-1].extra.get("uri", "")) if events else str(context["params"].get(asset.name, ""))
