"""RecTools' SASRec, timed step by step and judged now and then; runs in a Python that has RecTools and not Recloop.

python rectools_fit.py FOLDER '{"threads": 2, "loss": "softmax", "steps": 0, ...}' -> JSON lines: {"step", "wall", "cpu", "ndcg"}
of each look, then {"wall", "cpu", ...} of an average step. FOLDER holds interactions.csv and validation.npz, and after a
look kept.npz, from which the next run in the folder goes on.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from validation import Validation

ROWS = 256


class Kept:
    """Weights, Adam's moments and the clock in a file, so that hours of training need not be had at once."""

    def __init__(self, path):
        self.path = path

    def save(self, net, adam, facts):
        found = {f"net.{name}": weight.detach().numpy() for name, weight in net.state_dict().items()}
        for name, weight in net.named_parameters():
            found |= {f"adam.{key}.{name}": value.numpy() for key, value in adam.state[weight].items()}
        part = self.path.with_suffix(".part.npz")
        np.savez(part, facts=np.array(facts), **found)
        part.replace(self.path)

    def restore(self, net, adam):
        """The facts that were saved; None where there are none."""
        if not self.path.exists():
            return None
        with np.load(self.path, allow_pickle=False) as held:
            found = {name: torch.from_numpy(held[name]) for name in held.files if name != "facts"}
            facts = held["facts"].tolist()
        net.load_state_dict({k.removeprefix("net."): v for k, v in found.items() if k.startswith("net.")})
        for name, weight in net.named_parameters():
            adam.state[weight] = {key: found[f"adam.{key}.{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
        return facts


class Clock(Callback):
    """Wall and processor seconds since the end of the first step; the time of looks is left out."""

    # of the class, because RecTools trains with a copy of the trainer's callbacks
    model, validation, kept = None, None, None
    told: ClassVar[dict[str, float]] = {}
    steps, first, best, since = 0, 0, 0.0, 0
    start, spent = np.zeros(2), np.zeros(2)

    def on_train_start(self, trainer, module):
        """Go on where an earlier run was: its steps and its seconds count."""
        facts = self.kept.restore(module.torch_model, trainer.optimizers[0])
        if facts:
            Clock.steps, Clock.spent, Clock.best, Clock.since = (
                int(facts[0]),
                np.array(facts[1:3]),
                facts[3],
                int(facts[4]),
            )
        Clock.first = self.steps + 1

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        Clock.steps += 1
        if self.steps == self.first:
            Clock.start = now() - self.spent
        Clock.spent = now() - self.start
        if self.told["every"] and self.steps % self.told["every"] == 0:
            self.look(trainer, module.torch_model)
            Clock.start = now() - self.spent

    def look(self, trainer, net):
        net.eval()
        ndcg = judge(net, self.model, self.validation)
        net.train()
        Clock.best, Clock.since = (ndcg, 0) if ndcg > self.best else (self.best, self.since + 1)
        wall, cpu = self.spent.tolist()
        say({"step": self.steps, "wall": round(wall, 2), "cpu": round(cpu, 2), "ndcg": round(ndcg, 5)})
        self.kept.save(net, trainer.optimizers[0], (self.steps, wall, cpu, self.best, self.since))
        trainer.should_stop = self.since >= self.told["patience"]


def now():
    """Wall and processor seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def say(line):
    """One JSON line, at once."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def judge(net, model, validation):
    """NDCG@10 of the net as it is."""
    # it forgets items that occur only before the last events of every user
    own = model.data_preparator.item_id_map.to_internal.reindex(range(len(validation.known)), fill_value=0).to_numpy()
    own = own * validation.known
    with torch.no_grad():
        table = net.item_model.get_all_embeddings()
        rows = torch.from_numpy(own[validation.items]).split(ROWS)
        states = torch.cat([net.encode_sessions({"x": part}, table)[:, -1] for part in rows])
        return validation._replace(known=own > 0).ndcg(states, table[own])


def trainer():
    """A quiet trainer with the clock."""
    told = Clock.told
    return Trainer(
        max_epochs=told["epochs"],
        max_steps=told["steps"] or -1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Clock()],
    )


def main():
    """Fit by what is told, and say what was seen."""
    folder, told = Path(sys.argv[1]), json.loads(sys.argv[2])
    torch.set_num_threads(told["threads"])
    torch.manual_seed(told["seed"])
    Clock.kept = Kept(folder / "kept.npz")
    Clock.validation, Clock.told = Validation.load(folder / "validation.npz"), told
    frame = pd.read_csv(folder / "interactions.csv")
    frame[Columns.Datetime] = pd.to_datetime(frame["time"], unit="s")
    frame[Columns.Weight] = 1.0
    model = SASRecModel(
        n_blocks=told["blocks"],
        n_heads=told["heads"],
        n_factors=told["dim"],
        session_max_len=told["length"],
        dropout_rate=told["dropout"],
        loss=told["loss"],
        n_negatives=told["negatives"],
        lr=told["lr"],
        batch_size=told["batch"],
        epochs=told["epochs"],
        get_trainer_func=trainer,
    )
    Clock.model = model
    model.fit(Dataset.construct(frame[[Columns.User, Columns.Item, Columns.Datetime, Columns.Weight]]))
    steps = Clock.steps - 1
    spent = (Clock.spent / steps).tolist()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say({"wall": spent[0], "cpu": spent[1], "timed": steps, "peak_mb": round(peak, 1)})


if __name__ == "__main__":
    main()
