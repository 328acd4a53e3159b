"""release -> recommendations: the top k of every user, as an artefact and wherever else they are wanted."""

from contextlib import ExitStack

from recloop.artifacts import publishing
from recloop.config import Config
from recloop_pipelines.champion import pointer
from recloop_pipelines.console import REPORT
from recloop_pipelines.places import announce, required
from recloop_pipelines.settings import opened

FILE = "recommendations.parquet"


def score(*, config: Config, out: str, release: str = "", to: str = "") -> str:
    """release -> recommendations: recommendations.parquet with user_id, rank, item_id, title and score.

    to: also a file (.parquet, .csv) or a table (SQLAlchemy URL with #TABLE), replaced as a whole.
    """
    from recloop.serving.batch import blocks
    from recloop.serving.destinations import destination

    serving = pointer(config)
    uri = release or (serving.release if serving else required(config, "release"))
    bundle = opened(uri, kind="release")
    made = blocks(bundle.path, k=config.serving.k, threads=config.trainer.threads, rules=config.rules)
    with (
        publishing(out, kind="recommendations", parents={"release": bundle}, config={"k": config.serving.k}) as draft,
        ExitStack() as open_ones,
    ):
        places = [str(draft.path / FILE), *([to] if to else [])]
        writes = [open_ones.enter_context(destination(place)) for place in places]
        rows = 0
        for block in made:
            rows += block.height
            REPORT.get()(f"{rows:,} rows", 0.5)
            for write in writes:
                write(block)
        draft.metrics["rows"] = rows
    announce(config, "recommendations", out)
    return out
