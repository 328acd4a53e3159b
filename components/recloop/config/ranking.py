"""Sections of the models that rank candidates, and of the two towers."""

from pydantic import Field

from recloop.config.section import Section


class RankerConfig(Section):
    """The deep ranking network."""

    hidden: tuple[int, ...] = (128, 64, 32)
    members: int = Field(4, gt=0)
    """networks of these layers whose logits are averaged"""
    plain_members: int = Field(2, ge=0)
    """how many of them do not see the context: where a season turns what it means, they keep the answer sober"""
    batch: int = Field(4096, gt=0)
    lr: float = Field(3e-3, gt=0)
    epochs: int = Field(3, gt=0)
    warm_epochs: int = Field(1, gt=0)
    """more of either overfits what is new to a user (measured on two windows)"""
    unseen_share: float = Field(0.5, gt=0, le=1)
    """share of the negatives new to their user that are kept"""
    new_weight: float = Field(2.0, gt=0)
    """weight of pairs new to their user in the loss of pairs"""
    list_weight: float = Field(0.25, ge=0)
    """weight of the softmax over each user's list, and over what is new to the user in it; 0 learns from pairs alone"""
    spend_weight: float = Field(0.0, ge=0, le=1)
    """share of a taken pair's weight in the loss that goes by the money paid for it; 0 weighs all alike"""
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
    linear_items: int = Field(5000, ge=0)
    """items with most buyers between which linear weights are learnt, a feature of the ranker; 0 learns none"""
    linear_weights: int = Field(200, gt=0)
    """weights kept of each of them"""
    linear_l2: float = Field(20.0, gt=0)


class DINConfig(Section):
    """The ranker that attends to what the user had; windows, sampling and weights of its pairs are those of `ranker`."""

    length: int = Field(30, gt=0)
    """last different items of a user that it remembers"""
    dim: int = Field(16, gt=0)
    category_dim: int = Field(8, gt=0)
    ids: bool = False
    """learn a vector of each item; without, its category and what `pretrained` gives speak for it"""
    pretrained: bool = True
    """a projection of SASRec's vectors, added to the learnt ones"""
    attention: int = Field(16, gt=0)
    """width of the activation unit"""
    evolution: bool = False
    """read the memory in the order of time by a recurrent unit that attention opens (DIEN), instead of a weighted sum"""
    hidden: tuple[int, ...] = (128, 64, 32)
    dropout: float = Field(0.3, ge=0, lt=1)
    """of the vectors and interests, not of the pair features"""
    batch: int = Field(4096, gt=0)
    lr: float = Field(3e-3, gt=0)
    epochs: int = Field(3, gt=0)
    warm_epochs: int = Field(1, gt=0)


class MultiTaskConfig(Section):
    """The ranker of several tasks, and what each outcome is worth; windows and sampling are those of `ranker`."""

    purchase_value: float = Field(1.0, ge=0)
    """of an item taken"""
    new_value: float = Field(0.5, ge=0)
    """more, where it is new to its user"""
    spend_value: float = Field(0.1, ge=0)
    """more, for each unit of money"""
    experts: int = Field(4, gt=0)
    hidden: tuple[int, ...] = (64, 32)
    """layers of an expert"""
    tower: int = Field(16, gt=0)
    batch: int = Field(4096, gt=0)
    lr: float = Field(3e-3, gt=0)
    epochs: int = Field(3, gt=0)
    warm_epochs: int = Field(1, gt=0)


class TwoTowerConfig(Section):
    """A tower of the user's history and one of the item, whose dot product is the score."""

    dim: int = Field(64, gt=0)
    length: int = Field(50, gt=0)
    """last events of a user"""
    half_lives_days: tuple[float, ...] = (7.0, 60.0)
    """the user tower sees one weighted mean of item vectors for each"""
    hidden: int = Field(128, gt=0)
    repeats: bool = False
    """also learn an item that the user took before, and see repeats in the history"""
    item_age: bool = True
    """days since an item was first taken, at the moment of the example"""
    clock: bool = False
    """hour and weekday of the moment"""
    temperature: float = Field(0.07, gt=0)
    dropout: float = Field(0.1, ge=0, lt=1)
    negatives: int = Field(512, gt=0)
    """drawn evenly and shared by a batch, beside the batch's own items"""
    batch: int = Field(1024, gt=0)
    lr: float = Field(3e-3, gt=0)
    epochs: int = Field(5, gt=0)
    warm_epochs: int = Field(2, gt=0)
