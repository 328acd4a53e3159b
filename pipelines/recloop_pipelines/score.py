"""release -> recommendations: the top k of every user, in one table."""

from recloop.artifacts import publishing
from recloop.config import Config
from recloop_pipelines.champion import pointer
from recloop_pipelines.places import announce, required
from recloop_pipelines.settings import opened


def score(*, config: Config, out: str, release: str = "") -> str:
    """release -> recommendations: recommendations.parquet with user_id, rank, item_id, title, score and origin."""
    from recloop.serving.batch import top_k

    serving = pointer(config)
    uri = release or (serving.release if serving else required(config, "release"))
    bundle = opened(uri, kind="release")
    with publishing(out, kind="recommendations", parents={"release": bundle}, config={"k": config.serving.k}) as draft:
        table = top_k(bundle.path, k=config.serving.k, threads=config.trainer.threads)
        table.write_parquet(draft.path / "recommendations.parquet")
        draft.metrics["rows"] = table.height
    announce(config, "recommendations", out)
    return out
