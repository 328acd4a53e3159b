"""Vectors of items: from their words, by a sentence encoder, or made elsewhere (also of images) and read from files."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.config import SequenceConfig
from recloop.errors import BadData
from recloop.models.task import Task

F32 = NDArray[np.float32]
VECTORS, IDS = "vectors.npy", "ids.json"


def item_vectors(task: Task) -> F32:
    """One row a code: unit vectors of each source, centred, side by side; zeros where an item has none. [n_codes, dim]

    Raises BadData where no item has any.
    """
    config = task.config.content
    parts = [read(Path(folder), task.dataset.catalogue[Columns.Item].to_list()) for folder in config.vectors]
    if config.texts != "none":
        parts.append(_of_texts(task))
    made = np.concatenate([centred(part) for part in parts], axis=1) if parts else np.zeros((0, 1), dtype=np.float32)
    if not made.any():
        raise BadData(
            "No item has a vector: the catalogue has neither titles nor categories. Bring them (data.items), or name "
            "folders of vectors in model.content.vectors."
        )
    return np.concatenate([np.zeros((1, made.shape[1]), dtype=np.float32), made])


def content_of(task: Task, config: SequenceConfig) -> F32 | None:
    """What a sequence model of these settings reads of items; None where ids are all. Raises BadData as item_vectors."""
    return item_vectors(task) if config.content else None


def read(folder: Path, ids: Sequence[str]) -> F32:
    """vectors.npy [m, dim] and ids.json of a folder -> rows in the order of `ids`, zeros where one lacks. Raises BadData."""
    try:
        held = np.load(folder / VECTORS, allow_pickle=False, mmap_mode="r")
        names: list[str] = json.loads((folder / IDS).read_text())
    except (OSError, ValueError) as error:
        raise BadData(
            f"{folder} holds no vectors ({VECTORS} and {IDS}): {error}. Check model.content.vectors."
        ) from error
    if held.ndim != 2 or len(held) != len(names):
        raise BadData(f"{folder / VECTORS} is of the shape {held.shape}, and {IDS} names {len(names):,} items.")
    place = {name: n for n, name in enumerate(names)}
    at = np.array([place.get(name, -1) for name in ids])
    found = np.where((at >= 0)[:, None], held[np.maximum(at, 0)], 0).astype(np.float32)
    if not np.isfinite(found).all():
        raise BadData(f"{folder / VECTORS} holds {int((~np.isfinite(found)).sum()):,} values that are not finite.")
    return found


def centred(vectors: F32) -> F32:
    """Unit rows without what all have in common, unit again; zeros stay. [n, dim]"""
    known = vectors.any(axis=1)
    unit = _unit(vectors)
    unit[known] -= unit[known].mean(axis=0, keepdims=True) if known.any() else 0
    return _unit(unit)


def texts(catalogue: pl.DataFrame) -> list[str]:
    """Catalogue -> what is said of each item: title, words of its category's path, brand; empty where nothing is."""
    title = pl.when(pl.col(Columns.Title) != pl.col(Columns.Item)).then(pl.col(Columns.Title)).otherwise(pl.lit(""))
    path = pl.col(Columns.Category).str.replace_all(" > ", ", ")
    said = catalogue.select(
        pl.concat_list(title, path, Columns.Brand).list.eval(pl.element().filter(pl.element() != "")).list.join(", ")
    )
    return said.to_series().to_list()


def _of_texts(task: Task) -> F32:
    config = task.config.content
    said = texts(task.dataset.catalogue)
    if config.texts == "words":
        return of_words(said, dim=config.dim, seed=task.seed)
    if config.encoder is None:
        raise BadData(
            "model.content.texts is encoder, but model.content.encoder names no folder. Fetch one: recloop data fetch "
            "all-minilm-l6-v2"
        )
    return _encoded(Path(config.encoder), said, task)


def of_words(said: Sequence[str], *, dim: int, seed: int) -> F32:
    """Texts -> the main directions of their TF-IDF weights (latent semantic analysis, Deerwester et al. 1990). [n, dim]"""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(said):
        return np.zeros((len(said), 1), dtype=np.float32)
    weights = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit_transform(said)
    size = min(dim, min(weights.shape) - 1)
    if size < 1:
        return np.asarray(weights.toarray(), dtype=np.float32)
    made = TruncatedSVD(size, random_state=seed).fit_transform(weights)
    return np.asarray(made, dtype=np.float32)


def _encoded(folder: Path, said: Sequence[str], task: Task) -> F32:
    """By the sentence encoder; nothing is said of an item whose text is empty."""
    import torch

    from recloop.models.sentences import encode

    torch.set_num_threads(task.trainer.threads)
    found = encode(
        folder, said, length=task.config.content.length, told=lambda share: task.tell("reading the items' texts", share)
    )
    found[[not text for text in said]] = 0
    return found


def _unit(vectors: F32) -> F32:
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    made: F32 = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return made
