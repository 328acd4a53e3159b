"""Items alike by what the catalogue says of them: cosine of tf-idf vectors of category levels, brand and title words."""

from pathlib import Path

import numpy as np
import polars as pl
from safetensors.numpy import load_file
from scipy import sparse

from recloop import tensors
from recloop.data.histories import Histories
from recloop.models.counts import recent
from recloop.models.scorer import F32

FILE = "likeness.safetensors"
HISTORY, DECAY = 10, 0.8


class Likeness:
    """`vectors` [n_codes, words], rows of length 1 (0 where the catalogue says nothing)."""

    def __init__(self, vectors: sparse.csr_matrix) -> None:
        self.vectors = vectors
        self.turned = vectors.T.tocsr()

    def scores(self, histories: Histories) -> F32:
        """Decayed sum of the likeness to each of the last items. [n, n_codes]"""
        weights = recent(histories, self.vectors.shape[0], last=HISTORY, decay=DECAY)
        found: F32 = ((weights @ self.vectors) @ self.turned).toarray()
        return found

    def save(self, folder: Path) -> None:
        """Write likeness.safetensors."""
        held = self.vectors
        parts = {
            "data": held.data,
            "indices": held.indices.astype(np.int32),
            "indptr": held.indptr.astype(np.int64),
            "words": np.array([held.shape[1]]),
        }
        tensors.save(parts, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "Likeness":
        """Read what `save` wrote."""
        found = load_file(folder / FILE)
        shape = (len(found["indptr"]) - 1, int(found["words"][0]))
        return cls(sparse.csr_matrix((found["data"], found["indices"], found["indptr"]), shape=shape))


def likeness_of(catalogue: pl.DataFrame) -> Likeness:
    """Catalogue, one row a code from 1 -> Likeness. A word of one item only says nothing of others and is left out."""
    words = _words(catalogue)
    common = words.group_by("word").len().filter(pl.col("len") > 1).sort("word").with_row_index("column")
    pairs = words.join(common, on="word").sort("item", "column")
    n = catalogue.height + 1
    weight = np.log(n / pairs["len"].to_numpy()).astype(np.float32)
    at = (pairs["item"].to_numpy(), pairs["column"].to_numpy().astype(np.int64))
    table = sparse.csr_matrix((weight, at), shape=(n, max(common.height, 1)))
    norm = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    scaled = (sparse.diags(1 / np.maximum(norm, 1e-6)) @ table).tocsr().astype(np.float32)
    scaled.sort_indices()
    return Likeness(scaled)


def _words(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Distinct (item, word): `c:` a level of the category, `b:` the brand, `t:` a word of the title."""
    split = {
        "c:": pl.col("category").str.split(" > "),
        "b:": pl.concat_list("brand"),
        "t:": pl.col("title").str.to_lowercase().str.extract_all(r"\w+"),
    }
    tables = [
        catalogue.select(pl.col("item").cast(pl.Int64), word=words)
        .explode("word")
        .filter(pl.col("word").fill_null("") != "")
        .with_columns(word=pl.lit(kind) + pl.col("word"))
        for kind, words in split.items()
    ]
    return pl.concat(tables).unique()
