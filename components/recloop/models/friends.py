"""Friends of friends: where items are people too, whom those that a person follows follow themselves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from recloop.data.dataset import Dataset
from recloop.data.histories import Histories
from recloop.errors import BadData
from recloop.models.scorer import F32

FILE = "friends.safetensors"


@dataclass(frozen=True)
class Friends:
    """follows [n_codes, n_codes]: a row holds whom that person follows, each weighted 1 / log(1 + how many they are), as
    Adamic and Adar (2003, "Friends and neighbors on the web", section 3) weight what two have in common."""

    follows: sparse.csr_matrix

    def scores(self, histories: Histories) -> F32:
        """log(1 + weight of the paths of length two), from whom the row follows. [n, n_codes]"""
        shape = (len(histories), self.follows.shape[0])
        ones = np.ones(len(histories.items), dtype=np.float32)
        own = sparse.csr_matrix((ones, (histories.rows, histories.items)), shape=shape)
        own.data[:] = 1
        dense: F32 = np.log1p((own @ self.follows).toarray())
        return dense

    def save(self, folder: Path) -> None:
        """Write friends.safetensors."""
        table = self.follows
        indices = {"indices": table.indices.astype(np.int32), "indptr": table.indptr.astype(np.int64)}
        save_file({"data": table.data, **indices}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "Friends":
        """Read what `save` wrote."""
        found = load_file(folder / FILE)
        n = len(found["indptr"]) - 1
        return cls(sparse.csr_matrix((found["data"], found["indices"], found["indptr"]), shape=(n, n)))


def friends_of(dataset: Dataset, histories: Histories, *, n_codes: int) -> Friends:
    """Histories of all users, in the order of their codes -> Friends. Raises BadData where no user is an item."""
    person = np.array([dataset.items.codes.get(name, 0) for name in dataset.users.ids], dtype=np.int64)
    if not person.any():
        raise BadData(
            "The part friends recommends people: the item ids of a follow are user ids, and here none of "
            f"{len(dataset.items):,} items is one of {len(dataset.users):,} users. Leave it out of model.hybrid.parts."
        )
    rows = person[histories.rows]
    pairs = np.unique(np.stack([rows, histories.items])[:, rows > 0], axis=1)
    count = np.bincount(pairs[0], minlength=n_codes)
    weight = (1 / np.log1p(count[pairs[0]])).astype(np.float32)
    return Friends(sparse.csr_matrix((weight, (pairs[0], pairs[1])), shape=(n_codes, n_codes)))
