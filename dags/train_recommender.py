"""checked -> dataset -> model -> scorecard -> release: train, prove, and release what is proved better."""

from airflow.sdk import dag

from recloop_airflow import CHECKED, OPTIONS, RELEASE, artifact_param, params, step
from recloop_pipelines.evaluate import evaluate
from recloop_pipelines.release import promoted, release
from recloop_pipelines.train import fit, prepare


@dag(schedule=[CHECKED], params=params(checked=artifact_param("checked")), doc_md=__doc__, **OPTIONS)
def train_recommender() -> None:
    """Each step opens the one before; a refusal at the gate skips the release and says why in its log.

    A release that is tried as a canary wakes score_users when the service promotes it.
    """
    dataset = step(prepare, woken_by=(CHECKED,), exclusive=True)
    model = step(fit, dataset=dataset, exclusive=True)
    scorecard = step(evaluate, dataset=dataset, model=model, exclusive=True)
    tried = step(release, dataset=dataset, model=model, scorecard=scorecard, exclusive=True)
    step(promoted, release=tried, outlets=(RELEASE,))


train_recommender()
