"""recommendations -> feedback: attribute what people did to what they were shown, and decide whether to train again."""

from airflow.sdk import dag

from recloop_airflow import FEEDBACK, JOURNAL, OPTIONS, params, step
from recloop_pipelines.feedback import attribute, wake


@dag(schedule=[JOURNAL], params=params(), doc_md=__doc__, **OPTIONS)
def watch_feedback() -> None:
    """Woken by each sealed segment of the service's journal; a decision to train wakes ingest_events."""
    feedback = step(attribute)
    step(wake, feedback=feedback, outlets=(FEEDBACK,))


watch_feedback()
