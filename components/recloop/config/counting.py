"""Sections of the models of counts, factors and words, and of their blend."""

from typing import Literal

from pydantic import Field

from recloop.config.section import Section


class ItemToItemConfig(Section):
    """Counts of what is taken after what."""

    window: int = Field(10, gt=0)
    """events apart that two of one user may be; a pair counts 1 / the events between"""
    back: float = Field(0.0, ge=0)
    """weight of the same pairs the other way round"""
    history: int = Field(10, gt=0)
    """last events of a user that are looked up"""
    decay: float = Field(0.8, gt=0, le=1)
    """weight of each of them as a share of the next newer one's"""
    gain: float = Field(0.0, ge=0)
    """scores are log(1 + gain * count); 0 leaves the counts as they are"""


class EaseConfig(Section):
    """The linear autoencoder with a closed form."""

    l2: float = Field(200.0, gt=0)
    decay: float = Field(1.0, gt=0, le=1)
    """weight of each event of a history as a share of the next newer one's, when scores are asked for"""
    most_items: int = Field(20_000, gt=0)
    """a larger catalogue is refused: the fit holds three dense tables of items by items"""


class AlsConfig(Section):
    """Matrix factorisation of implicit feedback by alternating least squares."""

    dim: int = Field(64, gt=0)
    l2: float = Field(0.01, gt=0)
    alpha: float = Field(10.0, gt=0)
    """confidence of an event"""
    rounds: int = Field(15, gt=0)


class FreshnessConfig(Section):
    """How fast items grow old: the parts `trending` and `fresh` of the hybrid."""

    half_life_hours: float = Field(24.0, gt=0)
    """in which attention halves"""


class NCFConfig(Section):
    """Neural collaborative filtering: what its four kinds share."""

    factors: int = Field(32, gt=0)
    """dimensions of the factorised part"""
    hidden: tuple[int, ...] = Field((128, 64, 32), min_length=1)
    """the perceptron's layers; the first is the size of its user and item vectors too"""
    negatives: float = Field(4.0, gt=0)
    """for each positive"""
    draw: int = Field(512, gt=0)
    """items a step's users are scored against, standing for their negatives; at least the catalogue: the exact expectation"""
    batch: int = Field(64, gt=0)
    """users a step, with all their positives"""
    lr: float = Field(2e-3, gt=0)
    epochs: int = Field(30, gt=0)
    warm_epochs: int = Field(5, gt=0)
    l2: float = Field(0.0, ge=0)
    """decay of a row for each example it is in"""
    init: float = Field(0.01, gt=0)
    """deviation of the first vectors"""


class MFConfig(NCFConfig):
    """Matrix factorisation with a dot product."""

    factors: int = Field(64, gt=0)
    epochs: int = Field(20, gt=0)
    negatives: float = Field(8.0, gt=0)
    draw: int = Field(8192, gt=0)
    lr: float = Field(3e-2, gt=0)
    l2: float = Field(0.005, ge=0)
    init: float = Field(0.1, gt=0)


class GMFConfig(NCFConfig):
    """Generalised matrix factorisation."""

    draw: int = Field(8192, gt=0)
    lr: float = Field(1e-2, gt=0)
    epochs: int = Field(15, gt=0)
    init: float = Field(0.1, gt=0)


class MLPConfig(NCFConfig):
    """The perceptron alone."""

    lr: float = Field(5e-3, gt=0)
    epochs: int = Field(15, gt=0)


class NeuMFConfig(NCFConfig):
    """Factors and perceptron fused."""

    epochs: int = Field(10, gt=0)
    pretrain: bool = True
    """begin from its halves, fitted first with the settings of `gmf` and `mlp` but the sizes given here"""


class DNNConfig(Section):
    """The network of ratings."""

    hidden: tuple[int, ...] = Field((128, 64, 32), min_length=1)
    embedding: int = Field(0, ge=0)
    """size of a user's and an item's own vector in the network"""
    factors: int = Field(8, ge=0)
    """of the Bayesian factorisation whose prediction the network corrects; 0: it corrects biases alone"""
    rounds: int = Field(60, gt=1)
    """of Gibbs sampling"""
    burn: int = Field(16, ge=0)
    """rounds that are not kept"""
    moods: Literal["none", "past", "both"] = "past"
    """a user's other ratings around the moment that the network sees; both also sees later ones, as no service can"""
    inner_folds: int = Field(5, gt=1)
    """parts of the ratings whose features come from the others"""
    dropout: float = Field(0.1, ge=0, lt=1)
    l2: float = Field(0.01, ge=0)
    """decay of the embeddings for each rating"""
    batch: int = Field(512, gt=0)
    lr: float = Field(1e-3, gt=0)
    epochs: int = Field(8, gt=0)


HybridPart = Literal[
    "sasrec",
    "after",
    "next",
    "before",
    "cosine",
    "two_hop",
    "popularity",
    "taken",
    "content",
    "ease",
    "als",
    "trending",
    "fresh",
    "friends",
]


class HybridConfig(Section):
    """A blend of several scores; the settings of a part are those of its own kind."""

    parts: tuple[HybridPart, ...] = ("sasrec", "after", "next", "before", "cosine", "two_hop", "popularity", "content")
    """after, next, before: counts around the last items; cosine: counts by popularity; taken: the user's own items;
    trending: events by their age; fresh: how new the item is; friends: whom those that the user follows follow"""
    sequences: int = Field(1, gt=0)
    """sequence models of different seeds, averaged"""
    candidates: int = Field(60, gt=0)
    """best items of each part that the weights are learnt on"""
    users: int = Field(10_000, gt=0)
    """at most so many users' choices"""
    lengths: tuple[int, ...] = (5, 10)
    """histories up to each of these have weights of their own, and longer ones"""
    l2: float = Field(1e-3, ge=0)
    habit_days: float = Field(60.0, gt=0)
    """half-life of the user's own events in `taken`"""
    repeats: bool = False
    """also learn from items that the user took before"""


class ContentConfig(Section):
    """Vectors of what items are, for items that nobody took yet."""

    texts: Literal["words", "encoder", "none"] = "words"
    """what becomes of titles, categories and brands: weights of words, vectors of a sentence encoder, or nothing"""
    encoder: str | None = None
    """folder of a sentence encoder (config.json, vocab.txt, model.safetensors)"""
    vectors: tuple[str, ...] = ()
    """folders of vectors made elsewhere, also of images: vectors.npy [items, dim] and ids.json"""
    dim: int = Field(256, gt=0)
    """of the vectors of words"""
    length: int = Field(64, gt=2)
    """word pieces of a text that the encoder reads"""
    history: int = Field(100, gt=0)
    """last events of a user that are looked at"""
    decay: float = Field(0.99, gt=0, le=1)
    """weight of an event against the next one"""
    learnt: bool = True
    """learn what kind of item is taken around each; without, an item is as near as its vector"""
    window: int = Field(10, gt=0)
    """events between two items that count as taken one after the other"""
    back: float = Field(1.0, ge=0)
    """weight of the same pair in the other order"""
    ridge: float = Field(0.1, gt=0)
    """how strongly what is learnt is held back"""
