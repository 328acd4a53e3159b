"""A round of a comparison: one model, one seed, one fold; fitted, then asked for the lists of everyone who is judged."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.config import ModelConfig, TrainerConfig
from recloop.data.dataset import Dataset
from recloop.data.histories import Histories
from recloop.data.truth import Truth
from recloop.errors import BadConfig
from recloop.evaluation.folds import Exam, answers, exam, rehearsal
from recloop.evaluation.lists import per_list
from recloop.evaluation.metrics import hits, of_catalogue, per_user
from recloop.models import family, item_knn
from recloop.models.ranked import Ranked, Recommender
from recloop.models.task import Progress, Task, past_of

ALONE = 64
"""users who are asked for one by one, to time an answer"""
BLOCK = 4096
"""users who are ranked before progress is told"""
USER = "user"
BESIDE = (family.STATISTICS, item_knn.FILE)
VECTORS = "item_vectors.npy"
"""what the weights beside it give for each item, written for serving"""


@dataclass(frozen=True)
class Round:
    """What is fitted and how it is asked; equal rounds on equal data give equal figures."""

    name: str
    kind: str
    seed: int
    fold: int
    k: int
    repeats: bool
    protocol: str
    """hash of the protocol that the figures are of"""
    model: dict[str, Any]
    """ModelConfig"""
    trainer: dict[str, Any]
    """TrainerConfig"""
    rehearsed: bool = False
    """judged on the window before the test, to choose settings"""

    def __post_init__(self) -> None:
        """Raises BadConfig where it would need more than this process."""
        wanted = {name: int(self.trainer.get(name, 1)) for name in ("devices", "num_nodes")}
        if set(wanted.values()) != {1}:
            said = ", ".join(f"trainer.{name} is {value}" for name, value in wanted.items())
            raise BadConfig(f"Comparisons and trials fit on one device of one node, and {said}. Set both to 1.")

    @property
    def hash(self) -> str:
        """Sixteen hex digits of all that the figures depend on."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def slug(self) -> str:
        """Name of its files."""
        return f"{self.name}-seed{self.seed}-fold{self.fold}"

    def exam(self, dataset: Dataset) -> Exam:
        """What is learnt and what is answered."""
        return rehearsal(dataset) if self.rehearsed else exam(dataset)


def fit_round(
    item: Round, dataset: Dataset, *, out: Path, work: Path, progress: Progress | None = None
) -> dict[str, float]:
    """Fit the model of a round into `out` -> what it cost: seconds by the clock and of the processor."""
    taken = item.exam(dataset)
    task = Task(
        dataset=dataset,
        cut=taken.cut,
        watch=taken.watch,
        config=ModelConfig.model_validate(item.model),
        trainer=TrainerConfig.model_validate(item.trainer),
        seed=item.seed,
        out=out,
        work=work,
        progress=progress,
    )
    clock, processor = time.perf_counter(), time.process_time()
    family.fit(item.kind, task)
    return {"fit_seconds": time.perf_counter() - clock, "fit_cpu_seconds": time.process_time() - processor}


def judge_round(
    item: Round, dataset: Dataset, model: Path, *, progress: Progress | None = None
) -> tuple[pl.DataFrame, dict[str, float], dict[str, float]]:
    """Rank everyone who is judged -> (one row a user: id and metrics, figures of the whole catalogue, costs).

    Raises BadData from the fold where nobody can be judged.
    """
    test = item.exam(dataset).test
    truth = answers(dataset, test, repeats=item.repeats)
    past = past_of(dataset, test, truth.users)
    recommender = family.load(model, threads=int(item.trainer.get("threads", 1)))
    processor = time.process_time()
    ranked = _ranked(recommender, past, item, progress)
    spent = time.process_time() - processor
    popularity, categories = _popularity(item, dataset), _categories(dataset)
    frame = _values(ranked, truth, past, popularity, categories).with_columns(
        pl.Series(USER, np.array(dataset.users.ids)[truth.users - 1])
    )
    files = [file for file in model.rglob("*") if file.is_file()]
    costs = {
        "cpu_seconds_a_million": 1e6 * spent / max(len(truth), 1),
        "milliseconds": _alone(recommender, past, item),
        "megabytes": sum(file.stat().st_size for file in files) / 1e6,
        "parameters": float(_parameters(files)),
    }
    return frame, of_catalogue(ranked.items, popularity), costs


def _ranked(model: Recommender, past: Histories, item: Round, progress: Progress | None) -> Ranked:
    parts = []
    for start in range(0, len(past), BLOCK):
        parts.append(model.recommend(past.part(start, start + BLOCK), k=item.k, exclude_seen=not item.repeats))
        if progress:
            progress("ranking", min(1.0, (start + BLOCK) / len(past)))
    arrays = zip(*((p.items, p.scores, p.origins) for p in parts), strict=True)
    return Ranked(*(np.concatenate(a) for a in arrays))


def _values(
    ranked: Ranked, truth: Truth, past: Histories, popularity: NDArray[np.float32], categories: NDArray[np.int32]
) -> pl.DataFrame:
    hit = hits(ranked.items, truth.rows, truth.items)
    found = per_user(ranked.items, truth.rows, truth.items, truth.spend)
    found |= per_list(ranked.items, hit, past, categories=categories, popularity=popularity)
    if not truth.spend.any():
        found["spend_share"] = np.full(len(truth), np.nan)
    return pl.DataFrame(found)


def _alone(model: Recommender, past: Histories, item: Round) -> float:
    """Median milliseconds of one user's list in this process, after the first."""
    rows = np.unique(np.linspace(0, len(past) - 1, ALONE).astype(np.int64))
    took = []
    for row in (rows[0], *rows):
        start = time.perf_counter()
        model.recommend(past.take(np.array([row])), k=item.k, exclude_seen=not item.repeats)
        took.append(time.perf_counter() - start)
    return 1e3 * float(np.median(took[1:]))


def _popularity(item: Round, dataset: Dataset) -> NDArray[np.float32]:
    """Events of each code before the cut. [n_codes]"""
    codes = dataset.before(item.exam(dataset).cut)[Columns.ItemCode].to_numpy()
    return np.bincount(codes, minlength=len(dataset.items) + 1).astype(np.float32)


def _categories(dataset: Dataset) -> NDArray[np.int32]:
    """Code of the first two parts of each item's category path; 0 where it has none. [n_codes]"""
    paths = dataset.catalogue[Columns.Category].str.split(" > ").list.head(2).list.join(" > ").to_numpy().astype(str)
    names, codes = np.unique(paths, return_inverse=True)
    codes = codes + 1 - int(len(names) > 0 and names[0] == "")
    return np.concatenate([[0], codes]).astype(np.int32)


def digest(model: Path) -> str:
    """Sixteen hex digits of every file of a model."""
    found = hashlib.sha256()
    for file in sorted(path for path in model.rglob("*") if path.is_file()):
        found.update(str(file.relative_to(model)).encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:16]


def _parameters(files: list[Path]) -> int:
    """Numbers of the model; of what every release serves beside its model only where there is nothing else."""
    models = [file for file in files if file.name not in BESIDE]
    weights = {file.parent for file in models if file.suffix == ".safetensors"}
    own = sum(numbers(file) for file in models if file.name != VECTORS or file.parent not in weights)
    return own or sum(numbers(file) for file in files)


def numbers(path: Path) -> int:
    """Floating-point numbers in a .npy or safetensors file, by its header; 0 for others."""
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        return int(array.size) if array.dtype.kind == "f" else 0
    if path.suffix != ".safetensors":
        return 0
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    tensors = [
        t for name, t in header.items() if name != "__metadata__" and t["dtype"] in {"F64", "F32", "F16", "BF16"}
    ]
    return sum(int(np.prod(t["shape"], dtype=np.int64)) for t in tensors)
