"""Where trials are kept: a study that several processes share and that outlives each of them."""

import warnings
from typing import TYPE_CHECKING, Any

from recloop.config import ModelConfig
from recloop.config.spaces import Choice, Real, Whole
from recloop_pipelines.settings import settings

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.study import Study
    from optuna.trial import Trial

HEARTBEAT, GRACE = 30, 120
"""seconds: a trial whose worker was silent for GRACE is taken up by another"""
SCHEMA = "tuning"
"""of PostgreSQL, so that the study's tables lie beside nobody else's"""


def storage_of(database: str) -> "RDBStorage":
    """PostgreSQL where the settings name one, in a schema of its own; else a file of SQLite in the home."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback

    engine: dict[str, Any]
    url, engine = f"sqlite:///{settings().folder}/tuning.db", {"connect_args": {"timeout": 60}}
    if database.startswith("postgresql"):
        _make_schema(database)
        url, engine = database, {"connect_args": {"options": f"-c search_path={SCHEMA}"}, "pool_pre_ping": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return RDBStorage(
            url,
            engine_kwargs=engine,
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=2),
        )


def _make_schema(database: str) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    engine.dispose()


def study_of(name: str, storage: "RDBStorage", seed: int) -> "Study":
    """The study of a name, made or gone on with."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    made = optuna.create_study(
        study_name=name,
        storage=storage,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        load_if_exists=True,
    )
    # a worker that comes later must not draw what the first one drew
    made.sampler = optuna.samplers.TPESampler(seed=seed + len(made.trials), constant_liar=True)
    return made


def at(model: ModelConfig, name: str) -> Any:
    """The setting of a dotted name."""
    value: Any = model
    for part in name.split("."):
        value = getattr(value, part)
    return value


def within(where: Real | Whole | Choice, value: Any) -> bool:
    """Whether a range holds a value."""
    return value in where.options if isinstance(where, Choice) else bool(where.low <= value <= where.high)


def suggested(trial: "Trial", name: str, where: Real | Whole | Choice) -> Any:
    """What a trial draws from a range."""
    if isinstance(where, Choice):
        return trial.suggest_categorical(name, list(where.options))
    if isinstance(where, Real):
        return trial.suggest_float(name, where.low, where.high, log=where.log)
    return trial.suggest_int(name, where.low, where.high, log=where.log)
