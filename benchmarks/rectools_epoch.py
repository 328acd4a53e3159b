"""One epoch of RecTools' SASRec, or some of its steps, timed; runs in a Python that has RecTools and not Recloop.

python rectools_epoch.py interactions.csv '{"threads": 2, "loss": "softmax", "steps": 0, ...}' -> one JSON line
"""

import json
import sys
import time

import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

MARKS: list[tuple[float, float]] = []  # of the module, because RecTools trains with a copy of the trainer's callbacks


class Clock(Callback):
    """Wall and processor seconds at the end of each step."""

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        MARKS.append((time.perf_counter(), time.process_time()))


def main():
    path, told = sys.argv[1], json.loads(sys.argv[2])
    torch.set_num_threads(told["threads"])
    torch.manual_seed(1)

    def trainer():
        return Trainer(
            max_epochs=1,
            limit_train_batches=told["steps"] or 1.0,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[Clock()],
        )

    frame = pd.read_csv(path)
    frame[Columns.Datetime] = pd.to_datetime(frame["time"], unit="s")
    frame[Columns.Weight] = 1.0
    model = SASRecModel(
        n_blocks=1,
        n_heads=1,
        n_factors=told["dim"],
        session_max_len=told["length"],
        dropout_rate=told["dropout"],
        loss=told["loss"],
        n_negatives=told["negatives"],
        lr=0.001,
        batch_size=told["batch"],
        epochs=1,
        get_trainer_func=trainer,
    )
    model.fit(Dataset.construct(frame[[Columns.User, Columns.Item, Columns.Datetime, Columns.Weight]]))
    (wall, cpu), (last_wall, last_cpu) = MARKS[0], MARKS[-1]
    timed, steps = len(MARKS) - 1, told["all_steps"] or len(MARKS)
    found = {"wall": (last_wall - wall) / timed, "cpu": (last_cpu - cpu) / timed, "timed": timed, "steps": steps}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
