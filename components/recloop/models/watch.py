"""Early stopping: a score of the weights now and then, the best weights kept, all of it part of the checkpoint."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytorch_lightning as pl
from torch import Tensor, nn

STATE = "watch"


class Watch(Protocol):
    """What is looked at while a net learns."""

    @property
    def every(self) -> int:
        """Steps from one look to the next."""

    @property
    def patience(self) -> int:
        """Looks without a better score after which the fit stops; 0 never stops."""

    def score(self, net: nn.Module) -> float:
        """Greater is better; a function of the weights alone."""


@dataclass
class Kept:
    """The best weights so far, and how many looks ago that was."""

    score: float = float("-inf")
    step: int = 0
    looks: int = 0
    since: int = 0
    stopped: bool = False
    weights: dict[str, Tensor] = field(default_factory=dict)

    def facts(self) -> str:
        """All but the weights, as JSON."""
        return json.dumps([self.score, self.step, self.looks, self.since, self.stopped])

    def restore(self, facts: str, weights: dict[str, Tensor]) -> None:
        """Go on from what `facts` said."""
        self.score, self.step, self.looks, self.since, self.stopped = json.loads(facts)
        self.weights = weights


class Keeper(pl.Callback):
    """Looks every so many steps and at the end; stops the fit when patience is over.

    Every device looks at the same weights, so that all of them stop at the same step.
    """

    def __init__(self, watch: Watch, kept: Kept) -> None:
        self.watch, self.kept = watch, kept

    def on_train_batch_end(self, trainer: pl.Trainer, learner: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Look, and stop or go on."""
        step = batch.step + 1
        if step % self.watch.every and step != learner.plan.steps:
            return
        self.look(learner.net, step)
        trainer.should_stop = self.kept.stopped

    def look(self, net: nn.Module, step: int) -> None:
        """Score the weights; keep them where they are the best so far."""
        net.eval()
        score, kept = self.watch.score(net), self.kept
        net.train()
        kept.looks += 1
        kept.since += 1
        if score > kept.score:
            kept.score, kept.step, kept.since = score, step, 0
            kept.weights = {name: value.detach().clone() for name, value in net.state_dict().items()}
        kept.stopped = 0 < self.watch.patience <= kept.since
