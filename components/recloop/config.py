"""What runs: one YAML a scenario, read into frozen sections. Where it runs is not decided here."""

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recloop.errors import BadConfig


class Section(BaseModel):
    """A frozen part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(Section):
    """events: where they come from."""

    source: Literal["complete_journey", "table"] = "table"
    events: str | None = None
    """table: CSV, Parquet or JSON lines; a path, a folder or s3://"""
    items: str | None = None
    columns: dict[str, str] = {}
    """table: canonical event column -> column in the file"""
    item_columns: dict[str, str] = {}
    """table: canonical item column -> column in the file"""
    event: str = "purchase"
    """table: kind of every row when the file has no event column"""
    timezone: str = "UTC"
    """of times that carry no zone"""
    until: datetime | None = None
    """events at or after this moment are left out (they can be replayed)"""


class QualityConfig(Section):
    """checked: how much may be wrong before a run stops."""

    max_bad_share: float = Field(0.02, ge=0, le=1)
    """share of rows that may go to quarantine, all reasons together"""
    allowance: dict[str, float] = {}
    """reason -> share of rows, where one reason needs its own limit"""
    max_top_item_share: float = Field(0.2, ge=0, le=1)
    max_new_item_share: float = Field(0.5, ge=0, le=1)
    max_volume_change: float = Field(5.0, gt=1)
    """events a day in the last 28 days against the history before, as a ratio either way"""
    earliest: datetime = datetime(1990, 1, 1)
    max_price: float = Field(1e6, gt=0)
    max_quantity: float = Field(1e6, gt=0)
    sample_rows: int = Field(20_000, gt=0)


class SplitConfig(Section):
    """dataset: what is known when."""

    kind: Literal["temporal", "leave_last_out"] = "temporal"
    test_days: int = Field(28, gt=0)
    validation_days: int = Field(28, gt=0)
    min_item_events: int = Field(5, gt=0)
    """items with fewer events before the cut are not in the vocabulary"""


class SASRecConfig(Section):
    """The sequence model."""

    dim: int = Field(64, gt=0)
    blocks: int = Field(2, gt=0)
    heads: int = Field(2, gt=0)
    length: int = Field(100, gt=0)
    """last events of a user that the encoder sees"""
    dropout: float = Field(0.2, ge=0, lt=1)
    negatives: int = Field(512, gt=0)
    """shared by a batch, drawn by popularity, corrected by logQ"""
    batch: int = Field(128, gt=0)
    lr: float = Field(1e-3, gt=0)
    epochs: int = Field(8, gt=0)
    warm_epochs: int = Field(3, gt=0)
    """epochs when warm-started from the champion"""


class RankerConfig(Section):
    """The deep ranking network."""

    hidden: tuple[int, ...] = (128, 64, 32)
    batch: int = Field(4096, gt=0)
    lr: float = Field(1e-3, gt=0)
    epochs: int = Field(3, gt=0)
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
    popularity_days: int = Field(28, gt=0)
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


class EvaluationConfig(Section):
    """scorecard: how models are compared."""

    k: int = Field(10, gt=0)
    bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    baselines: tuple[str, ...] = ("popularity", "frequency", "frequency_decayed", "item_knn")


class GateConfig(Section):
    """When a challenger may be released."""

    metric: str = "ndcg"
    on: tuple[Literal["all", "new"], ...] = ("all", "new")
    """what must beat every baseline: all purchases, and those new to the user"""
    champion_on: tuple[Literal["all", "new"], ...] = ("all",)
    """what must beat the champion; on the rest it may not be worse than `max_slice_loss`"""
    max_slice_loss: float = Field(0.05, ge=0)
    """relative loss allowed on a slice, at the lower bound of its interval"""
    min_users: int = Field(100, gt=0)
    min_slice_users: int = Field(50, gt=0)
    leak_ceiling: float = Field(0.9, gt=0, le=1)
    """a metric above this is taken for a leak of the answers"""
    max_latency_ms: float = Field(50.0, gt=0)
    """median of one recommendation"""
    max_megabytes: float = Field(500.0, gt=0)


class ServingConfig(Section):
    """recommendations: the HTTP service."""

    k: int = Field(10, gt=0)
    max_k: int = Field(200, gt=0)
    similar: int = Field(20, gt=0)
    segment_events: int = Field(50_000, gt=0)
    """events after which a journal segment is sealed"""
    segment_seconds: float = Field(3600.0, gt=0)


class FeedbackConfig(Section):
    """feedback: what is learnt from answers."""

    attribution_hours: float = Field(24.0, gt=0)
    max_age_days: float = Field(28.0, gt=0)
    """a model older than this is trained again"""
    max_decay: float = Field(0.05, gt=0)
    """relative loss of online hit rate that calls for training"""
    min_answers: int = Field(500, gt=0)


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
