"""What runs: one YAML a scenario, read into frozen sections. Where it runs is not decided here."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from recloop.config.contract import ContractConfig, NotifyConfig
from recloop.config.counting import (
    AlsConfig,
    ContentConfig,
    DNNConfig,
    EaseConfig,
    FreshnessConfig,
    GMFConfig,
    HybridConfig,
    ItemToItemConfig,
    MFConfig,
    MLPConfig,
    NCFConfig,
    NeuMFConfig,
)
from recloop.config.data import DataConfig, QualityConfig, SplitConfig
from recloop.config.edge import AbuseConfig, EdgeConfig
from recloop.config.experimenting import ExperimentsConfig
from recloop.config.judging import Baseline, EvaluationConfig, FeedbackConfig, GateConfig, ServingConfig, View
from recloop.config.merchandising import Kind, RulesConfig
from recloop.config.model import ModelConfig, TrainerConfig
from recloop.config.privacy import PrivacyConfig
from recloop.config.ranking import CandidatesConfig, DINConfig, MultiTaskConfig, RankerConfig, TwoTowerConfig
from recloop.config.section import Section
from recloop.config.sequences import Bert4RecConfig, ContextName, HSTUConfig, SASRecConfig, SequenceConfig
from recloop.config.streams import KafkaConfig
from recloop.config.suggestions import told
from recloop.errors import BadConfig

__all__ = [
    "AbuseConfig",
    "AlsConfig",
    "Baseline",
    "Bert4RecConfig",
    "CandidatesConfig",
    "Config",
    "ContentConfig",
    "ContextName",
    "ContractConfig",
    "DINConfig",
    "DNNConfig",
    "DataConfig",
    "EaseConfig",
    "EdgeConfig",
    "EvaluationConfig",
    "ExperimentsConfig",
    "FeedbackConfig",
    "FreshnessConfig",
    "GMFConfig",
    "GateConfig",
    "HSTUConfig",
    "HybridConfig",
    "ItemToItemConfig",
    "KafkaConfig",
    "Kind",
    "MFConfig",
    "MLPConfig",
    "ModelConfig",
    "MultiTaskConfig",
    "NCFConfig",
    "NeuMFConfig",
    "NotifyConfig",
    "PrivacyConfig",
    "QualityConfig",
    "RankerConfig",
    "RulesConfig",
    "SASRecConfig",
    "Section",
    "SequenceConfig",
    "ServingConfig",
    "SplitConfig",
    "TrainerConfig",
    "TwoTowerConfig",
    "View",
    "load",
    "parse",
]


class Config(Section):
    """One scenario."""

    scenario: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str = ""
    seed: int = 7
    data: DataConfig
    privacy: PrivacyConfig = PrivacyConfig()
    quality: QualityConfig = QualityConfig()
    notify: NotifyConfig = NotifyConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    gate: GateConfig = GateConfig()
    serving: ServingConfig = ServingConfig()
    rules: RulesConfig = RulesConfig()
    edge: EdgeConfig = EdgeConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    experiments: ExperimentsConfig = ExperimentsConfig()


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
        wrong = [f"  {'.'.join(map(str, e['loc']))}: {told(e, Config)}" for e in error.errors()]
        raise BadConfig(
            f"{name} has {len(wrong)} wrong key{'s' if len(wrong) > 1 else ''}:\n" + "\n".join(wrong)
        ) from error
