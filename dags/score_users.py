"""release -> recommendations: the top k of every user, in one Parquet file for mails, apps and tables."""

from airflow.sdk import dag

from recloop_airflow import OPTIONS, RECOMMENDATIONS, RELEASE, artifact_param, params, step
from recloop_pipelines.score import score


@dag(schedule=[RELEASE], params=params(release=artifact_param("release")), doc_md=__doc__, **OPTIONS)
def score_users() -> None:
    """Score every known user with the release that woke the run."""
    step(score, woken_by=(RELEASE,), outlets=(RECOMMENDATIONS,))


score_users()
