"""events -> checked: collect the source's events and what feedback brought, and let the suite judge them."""

from airflow.sdk import dag

from recloop_airflow import CHECKED, FEEDBACK, OPTIONS, DataDocs, artifact_param, params, step
from recloop_pipelines.ingest import check, collect


@dag(schedule=[FEEDBACK], params=params(feedback=artifact_param("feedback")), doc_md=__doc__, **OPTIONS)
def ingest_events() -> None:
    """Collect and check; a good check wakes train_recommender."""
    events = step(collect, woken_by=(FEEDBACK,))
    step(check, events=events, outlets=(CHECKED,), links=(DataDocs(),))


ingest_events()
