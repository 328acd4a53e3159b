"""Sections of the models and of how they are trained; one class a kind."""

from typing import Literal

from pydantic import Field

from recloop.config.section import Section


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


ModelKind = Literal["two_stage"]


class ModelConfig(Section):
    """model: its kind, and the settings of each kind."""

    kind: ModelKind = "two_stage"
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
