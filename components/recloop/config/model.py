"""Section of the model: its kind and the settings of each kind; and of how it is trained."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from recloop.config.counting import (
    AlsConfig,
    ContentConfig,
    EaseConfig,
    FreshnessConfig,
    GMFConfig,
    HybridConfig,
    ItemToItemConfig,
    MFConfig,
    MLPConfig,
    NeuMFConfig,
)
from recloop.config.ranking import CandidatesConfig, DINConfig, MultiTaskConfig, RankerConfig, TwoTowerConfig
from recloop.config.section import Section
from recloop.config.sequences import Bert4RecConfig, HSTUConfig, SASRecConfig

ModelKind = Literal[
    "two_stage",
    "popularity",
    "frequency",
    "frequency_decayed",
    "item_knn",
    "item_to_item",
    "ease",
    "als",
    "hybrid",
    "mf",
    "gmf",
    "mlp",
    "neumf",
    "sasrec",
    "bert4rec",
    "hstu",
    "din",
    "multi_task",
    "two_tower",
    "content",
]


class ModelConfig(Section):
    """model: its kind, and the settings of each kind."""

    kind: ModelKind = "two_stage"
    candidates: CandidatesConfig = CandidatesConfig()
    sasrec: SASRecConfig = SASRecConfig()
    bert4rec: Bert4RecConfig = Bert4RecConfig()
    hstu: HSTUConfig = HSTUConfig()
    ranker: RankerConfig = RankerConfig()
    din: DINConfig = DINConfig()
    multi_task: MultiTaskConfig = MultiTaskConfig()
    two_tower: TwoTowerConfig = TwoTowerConfig()
    content: ContentConfig = ContentConfig()
    item_to_item: ItemToItemConfig = ItemToItemConfig()
    ease: EaseConfig = EaseConfig()
    als: AlsConfig = AlsConfig()
    hybrid: HybridConfig = HybridConfig()
    freshness: FreshnessConfig = FreshnessConfig()
    mf: MFConfig = MFConfig()
    gmf: GMFConfig = GMFConfig()
    mlp: MLPConfig = MLPConfig()
    neumf: NeuMFConfig = NeuMFConfig()


def _whole(strategy: str) -> str:
    if strategy not in ("auto", "ddp"):
        raise ValueError(
            f"{strategy!r} is not supported: every device holds the whole net and checkpoints are whole files. Use auto or "
            "ddp; fsdp, deepspeed and the rest shard weights, and ddp_spawn leaves the first process untrained"
        )
    return strategy


Strategy = Annotated[str, AfterValidator(_whole)]


class TrainerConfig(Section):
    """How Lightning trains: handed on as it is."""

    accelerator: str = "cpu"
    devices: int = Field(1, gt=0)
    strategy: Strategy = "auto"
    precision: str = "32-true"
    num_nodes: int = Field(1, gt=0)
    threads: int = Field(2, gt=0)
    """CPU threads for torch"""
    checkpoint_seconds: float = Field(30.0, gt=0)
    profile: bool = False
    """log torch's profile of some steps to MLflow: a table of operators and a trace"""
    mapped: bool = False
    """keep the learnt histories on disk in the work folder and map them, instead of in memory"""
