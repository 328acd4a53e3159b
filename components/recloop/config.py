"""What runs: one YAML a scenario, read into frozen sections. Where it runs is not decided here."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from recloop.columns import EVENT_COLUMNS, ITEM_COLUMNS, REASONS
from recloop.errors import BadConfig


def _one_of(names: tuple[str, ...]) -> AfterValidator:
    def known(name: str) -> str:
        if name not in names:
            raise ValueError(f"{name!r} is none of {', '.join(names)}")
        return name

    return AfterValidator(known)


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone, such as Europe/Berlin or UTC")
    return name


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("is empty: a model would be compared with nothing and pass")
    return names


_SOME = AfterValidator(_some)
EventColumn = Annotated[str, _one_of(EVENT_COLUMNS)]
ItemColumn = Annotated[str, _one_of(ITEM_COLUMNS)]
Reason = Annotated[str, _one_of(REASONS)]
Zone = Annotated[str, AfterValidator(_zone)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A datetime; UTC where the text names no zone"""


class Section(BaseModel):
    """A frozen part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(Section):
    """events: where they come from."""

    source: Literal["complete_journey", "table"] = "table"
    events: str | None = None
    """table: CSV, Parquet or JSON lines; a path, a folder or s3://"""
    items: str | None = None
    columns: dict[EventColumn, str] = {}
    """table: canonical event column -> column in the file"""
    item_columns: dict[ItemColumn, str] = {}
    """table: canonical item column -> column in the file"""
    event: Literal["view", "click", "cart", "purchase", "rating"] = "purchase"
    """table: kind of every row when the file has no event column"""
    timezone: Zone = "UTC"
    """of times that carry no zone"""
    until: Moment | None = None
    """events at or after this moment are left out (they can be replayed)"""


class QualityConfig(Section):
    """checked: how much may be wrong before a run stops."""

    max_bad_share: float = Field(0.02, ge=0, le=1)
    """share of rows that may go to quarantine, all reasons without a limit of their own together"""
    allowance: dict[Reason, Annotated[float, Field(ge=0, le=1)]] = {}
    """reason -> share of rows, where one reason needs its own limit"""
    max_top_item_share: float = Field(0.2, ge=0, le=1)
    max_new_item_share: float = Field(0.5, ge=0, le=1)
    """items of the last 28 days that were never seen before; not judged on less than 28 days of history"""
    max_volume_change: float = Field(5.0, gt=1)
    """events a day in the last 28 days against the history before, as a ratio either way"""
    earliest: Moment = datetime(1990, 1, 1, tzinfo=UTC)
    max_price: float = Field(1e6, gt=0)
    max_quantity: float = Field(1e6, gt=0)
    sample_rows: int = Field(20_000, gt=0)


class SplitConfig(Section):
    """dataset: what is known when."""

    kind: Literal["temporal", "leave_last_out"] = "temporal"
    test_days: int = Field(28, gt=0)
    min_item_events: int = Field(5, gt=0)
    """items with fewer events before the cut are not in the vocabulary"""


class SASRecConfig(Section):
    """The sequence model."""

    dim: int = Field(64, gt=0)
    blocks: int = Field(2, gt=0)
    heads: int = Field(2, gt=0)
    length: int = Field(100, gt=0)
    """last events of a user that the encoder sees; without `repeats`, last different items"""
    horizon: int = Field(50, gt=0)
    """targets are drawn from this many next events; 1 is the next event only"""
    repeats: bool = False
    """also learn an item that the user took before; without, the sequence is of first times and foretells what is new"""
    dropout: float = Field(0.2, ge=0, lt=1)
    negatives: int = Field(512, gt=0)
    """shared by a batch, drawn by popularity, corrected by logQ"""
    batch: int = Field(64, gt=0)
    """sequences a step, over all devices"""
    lr: float = Field(2e-3, gt=0)
    epochs: int = Field(4, gt=0)
    warm_epochs: int = Field(1, gt=0)
    """epochs when warm-started from the champion"""


class RankerConfig(Section):
    """The deep ranking network."""

    hidden: tuple[int, ...] = (128, 64, 32)
    batch: int = Field(4096, gt=0)
    lr: float = Field(3e-3, gt=0)
    epochs: int = Field(3, gt=0)
    warm_epochs: int = Field(2, gt=0)
    unseen_share: float = Field(0.5, gt=0, le=1)
    """share of the negatives new to their user that are kept"""
    new_weight: float = Field(2.0, gt=0)
    """weight of pairs new to their user in the loss"""
    windows: int = Field(3, gt=0)
    """earlier windows of `split.test_days` that the ranker learns from"""
    use_sasrec: bool = True
    use_context: bool = True


class CandidatesConfig(Section):
    """Items each source may propose for one user."""

    history: int = Field(300, ge=0)
    popularity: int = Field(100, ge=0)
    item_knn: int = Field(100, ge=0)
    sasrec: int = Field(100, ge=0)
    half_life_days: float = Field(60.0, gt=0)
    neighbours: int = Field(50, gt=0)


class ModelConfig(Section):
    """model: the two-stage recommender."""

    candidates: CandidatesConfig = CandidatesConfig()
    sasrec: SASRecConfig = SASRecConfig()
    ranker: RankerConfig = RankerConfig()


class TrainerConfig(Section):
    """How Lightning trains: handed on as it is."""

    accelerator: str = "cpu"
    devices: int = Field(1, gt=0)
    strategy: str = "auto"
    precision: str = "32-true"
    num_nodes: int = Field(1, gt=0)
    threads: int = Field(2, gt=0)
    """CPU threads for torch"""
    checkpoint_seconds: float = Field(30.0, gt=0)


Baseline = Literal["popularity", "frequency", "frequency_decayed", "item_knn"]
View = Literal["all", "new"]
"""all purchases, or those of items that are new to their user"""


class EvaluationConfig(Section):
    """scorecard: how models are compared."""

    k: int = Field(10, gt=0)
    bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    baselines: Annotated[tuple[Baseline, ...], _SOME] = get_args(Baseline)
    """rivals that the gate asks a model to beat"""


class GateConfig(Section):
    """When a challenger may be released."""

    metric: Literal["ndcg", "recall", "precision", "mrr", "hit_rate", "map", "spend_share"] = "ndcg"
    views: Annotated[tuple[View, ...], _SOME] = ("all", "new")
    """what must beat every baseline"""
    champion_views: tuple[View, ...] = ("all",)
    """what must beat the champion; on the rest it may not be worse than `max_slice_loss`"""
    max_slice_loss: float = Field(0.05, ge=0)
    """relative loss that is allowed: on a slice, where more is proved; on a view of the champion, where more is possible"""
    min_users: int = Field(100, gt=0)
    min_slice_users: int = Field(50, gt=0)
    leak_ceiling: float = Field(0.9, gt=0, le=1)
    """a metric above this is taken for a leak of the answers"""
    leak_ratio: float = Field(2.5, gt=1)
    """a metric above this many times the best baseline's is taken for a leak too"""
    leak_share: float = Field(0.1, gt=0, lt=1)
    """share of users with a perfect list, beyond the best baseline's, that is taken for a leak too"""
    max_latency_ms: float = Field(50.0, gt=0)
    """median of one recommendation"""
    max_megabytes: float = Field(500.0, gt=0)


class ServingConfig(Section):
    """recommendations: the HTTP service."""

    k: int = Field(10, gt=0)
    max_k: int = Field(200, gt=0)
    segment_events: int = Field(50_000, gt=0)
    """events after which a journal segment is sealed"""
    segment_seconds: float = Field(3600.0, gt=0)


class FeedbackConfig(Section):
    """feedback: what is learnt from answers."""

    attribution_hours: float = Field(24.0, gt=0)
    """a purchase belongs to an answer at most this much older"""
    max_age_days: float = Field(56.0, gt=0)
    """a model that learnt nothing for longer is trained again; the days held out for its test count"""
    max_decay: float = Field(0.05, gt=0)
    """relative loss of online hit rate, net of the season, that calls for training"""
    compare_days: float = Field(14.0, gt=0)
    """decay compares a release's first days with its last; both are this long"""
    max_new_item_share: float = Field(0.15, gt=0, le=1)
    """share of recent purchases of items that the release cannot recommend"""
    max_drift: float = Field(0.25, gt=0)
    """population stability index of any watched distribution"""
    min_answers: int = Field(500, gt=0)
    """answers on either side of a comparison"""
    min_new_events: int = Field(1_000, ge=0)
    """fewer events than this since the release teach nothing: no training whatever the reason"""
    bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)


class Config(Section):
    """One scenario."""

    scenario: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str = ""
    seed: int = 7
    data: DataConfig
    quality: QualityConfig = QualityConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    gate: GateConfig = GateConfig()
    serving: ServingConfig = ServingConfig()
    feedback: FeedbackConfig = FeedbackConfig()


def load(path: Path) -> Config:
    """YAML file -> Config. Raises BadConfig naming every wrong key at once."""
    try:
        raw = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise BadConfig(f"There is no configuration {path}. List them: ls {path.parent}/*.yaml") from None
    except (OSError, yaml.YAMLError) as error:
        raise BadConfig(f"{path} cannot be read as YAML: {error}") from error
    return parse(raw, name=str(path))


def parse(raw: Any, *, name: str) -> Config:
    """Parsed YAML -> Config. Raises BadConfig naming every wrong key at once."""
    if not isinstance(raw, dict):
        raise BadConfig(f"{name} must be a mapping with the keys scenario, data, ...; it is {type(raw).__name__}.")
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        wrong = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise BadConfig(
            f"{name} has {len(wrong)} wrong key{'s' if len(wrong) > 1 else ''}:\n" + "\n".join(wrong)
        ) from error
