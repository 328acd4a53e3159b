"""Sections of the sequence models."""

from typing import Literal, Self

from pydantic import Field, model_validator

from recloop.config.section import Section

ContextName = Literal["hour", "weekday", "since", "price", "discount", "store"]


class SequenceConfig(Section):
    """What every model of sequences has."""

    dim: int = Field(64, gt=0)
    blocks: int = Field(2, gt=0)
    heads: int = Field(2, gt=0)
    length: int = Field(100, gt=0)
    """last events of a user that the encoder sees; without `repeats`, last different items"""
    repeats: bool = False
    """also learn an item that the user took before; without, the sequence is of first times and foretells what is new"""
    context: tuple[ContextName, ...] = ()
    """what is known of each event besides its item: hour and weekday (UTC), time since the event before, level of the
    price, discount, store (shop, site or device)"""
    content: bool = False
    """read what items are, as `content` says of the kind of that name, fused with their ids by a learnt gate"""
    ids: bool = True
    """without: items are their content alone, so that one that nobody took yet stands where its like do"""
    id_dropout: float = Field(0.1, ge=0, lt=1)
    """share of the items of a step that are their content alone, where both are read"""
    id_events: int = Field(3, ge=1)
    """items with fewer events are their content alone, where both are read"""
    dropout: float = Field(0.2, ge=0, lt=1)
    expand: int = Field(2, gt=0)
    """width of the feed-forward layer, in `dim`s"""
    loss: Literal["sampled", "full"] = "sampled"
    """softmax over the negatives, or over every item"""
    negatives: int = Field(512, gt=0)
    """shared by a batch, corrected by logQ"""
    draw: Literal["popularity", "uniform"] = "popularity"
    """of the negatives"""
    batch: int = Field(64, gt=0)
    """sequences a step, over all devices"""
    lr: float = Field(2e-3, gt=0)
    schedule: Literal["linear", "constant"] = "linear"
    """of the learning rate after its warm-up"""
    weight_decay: float = Field(0.0, ge=0)
    first: Literal["random", "cooccurrence"] = "random"
    """vectors of the items before the first step: drawn, or factorised from which items lie near each other"""
    first_scale: float = Field(0.05, gt=0)
    """root mean square of the latter"""
    fast: bool = False
    """fused losses and Adam and cheaper draws of dropout: the same model, but for roundings and draws"""
    sparse: bool = False
    """each step moves only the vectors of its own items: for catalogues of a hundred thousand items and more"""
    epochs: int = Field(4, gt=0)
    warm_epochs: int = Field(1, gt=0)
    """epochs when warm-started from the champion"""
    patience: int = Field(0, ge=0)
    """looks at the watched window without a better NDCG@10 after which the fit stops; 0 looks at nothing"""
    watch_epochs: int = Field(1, gt=0)
    """epochs from one look to the next"""
    watched_users: int = Field(5000, gt=0)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if not self.ids and not self.content:
            raise ValueError("ids: false leaves nothing to know items by; set content: true beside it")
        if self.content and self.loss == "full":
            raise ValueError(
                "content needs loss: sampled, since the full softmax teaches that new items are never taken"
            )
        return self

    @model_validator(mode="after")
    def _sparse(self) -> Self:
        if self.sparse and (self.loss == "full" or self.weight_decay or self.content):
            raise ValueError(
                "sparse moves the vectors of a step's own items, so loss: full, weight_decay and content, which move every "
                "vector, cannot stand beside it"
            )
        return self


class AttentionConfig(SequenceConfig):
    """What the models of softmax attention have."""

    block: Literal["plain", "gated"] = "plain"
    """gated: each residual is weighted by a sigmoid of the block's input, and the feed-forward layer is SwiGLU"""


class SASRecConfig(AttentionConfig):
    """The causal transformer."""

    horizon: int = Field(50, gt=0)
    """targets are drawn from this many next events; 1 is the next event only"""


class Bert4RecConfig(AttentionConfig):
    """The bidirectional transformer that fills gaps."""

    mask_share: float = Field(0.2, gt=0, lt=1)
    """of a sequence's items that are masked"""


class HSTUConfig(SequenceConfig):
    """Pointwise attention with a bias of places and times."""

    horizon: int = Field(1, gt=0)
    """targets are drawn from this many next events; 1 is the next event only"""
