"""Where a sequence model begins: drawn, placed by what lies near what, or from an older model of the same sizes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from recloop.config import SequenceConfig
from recloop.data.histories import Histories
from recloop.errors import BadArtifact
from recloop.models.cooccurrence import item_vectors
from recloop.models.fit import Progress
from recloop.models.sequence_net import SequenceNet

KNOWN = "item_known.npy"
IDS, CONTENT = "items.weight", "items.content"
ROWS = (IDS, CONTENT, "items.trusted")
"""weights with a row an item"""
ALIKE = 0.99


@dataclass(frozen=True)
class Start:
    """A net to be trained, what is known of its items, and whether it goes on from an older one."""

    net: SequenceNet
    known: NDArray[np.bool_]  # [n_codes]
    warm: bool

    def epochs(self, config: SequenceConfig) -> int:
        """Epochs to train."""
        return config.warm_epochs if self.warm else config.epochs


def begin(
    net: SequenceNet,
    learnt: Histories,
    config: SequenceConfig,
    *,
    name: str,
    warm: Path | None,
    progress: Progress | None,
) -> Start:
    """A fresh net, with the weights of an older one of the same sizes where `warm` holds one. Raises BadArtifact."""
    events = np.bincount(learnt.items, minlength=net.n_codes)
    known = net.items.counted(torch.from_numpy(events)).numpy()
    older = None if warm is None else _older(net, warm, name, progress)
    if older is None:
        _place(net, learnt, config)
        return Start(net, known, warm=False)
    return Start(net, known | _warm(net, *older), warm=True)


def _place(net: SequenceNet, learnt: Histories, config: SequenceConfig) -> None:
    """Item vectors before the first step, where they are not simply drawn; items without a neighbour stay drawn."""
    if config.first == "random" or net.items.weight is None:
        return
    own = net.items.weight.data
    found = item_vectors(learnt, n_codes=len(own), dim=config.dim, scale=config.first_scale)
    placed = torch.from_numpy(found).to(own.device)
    own.copy_(torch.where((placed != 0).any(1, keepdim=True), placed, own))


def _older(
    net: SequenceNet, folder: Path, name: str, progress: Progress | None
) -> tuple[dict[str, Tensor], NDArray[np.bool_]] | None:
    """Weights and known codes of an older model; None where it cannot be gone on with. Raises BadArtifact."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        return None
    weights, known = load_file(path), np.load(folder / KNOWN, allow_pickle=False)
    if len(known) > net.n_codes:
        raise BadArtifact(
            f"{path} knows {len(known) - 1:,} items where the dataset has {net.n_codes - 1:,}: they are of two lineages. "
            "Build the dataset from the champion's vocabulary, or fit without a warm start."
        )
    differs = _difference(weights, net.state_dict())
    if differs and progress:
        progress(f"{name}: the older model {differs}; starting afresh", 0.0)
    return None if differs else (weights, known)


def _difference(older: dict[str, Tensor], own: dict[str, Tensor]) -> str:
    """Why an older model cannot be gone on with; empty where it can."""
    if _sizes(older) != _sizes(own):
        return "has other sizes"
    if CONTENT in own and not _alike(older[CONTENT], own[CONTENT]):
        return "read the items' contents otherwise"
    return ""


def _alike(older: Tensor, newer: Tensor) -> bool:
    """Whether contents lie in the same space: the mean cosine of the items that both describe."""
    cosine = F.cosine_similarity(older, newer[: len(older)])[older.any(1)]
    return bool(len(cosine)) and float(cosine.mean()) > ALIKE


def _sizes(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    """Shapes that must agree: the number of items need not."""
    return {name: value.shape[1:] if name in ROWS else value.shape for name, value in weights.items()}


def _warm(net: SequenceNet, weights: dict[str, Tensor], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Copy an older model's weights, item rows by code; which codes it knew. [n_codes]"""
    tables = {name: value.clone() for name, value in net.state_dict().items() if name in ROWS}
    if IDS in tables:
        tables[IDS][: len(known)] = weights[IDS]
    net.load_state_dict(weights | tables)
    return np.pad(known, (0, net.n_codes - len(known)))
