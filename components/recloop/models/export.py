"""torch modules -> ONNX files with the same bytes for the same weights: no paths, no doc strings, no external data."""

import io
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn


def export(
    net: nn.Module,
    inputs: dict[str, Tensor],
    output: str,
    axes: dict[str, dict[int, str]],
    path: Path,
    *,
    facts: dict[str, str] | None = None,
) -> None:
    """Write `net` as ONNX with named inputs, one output, named dynamic axes, and facts that its reader needs."""
    net.eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # the TorchScript exporter needs no further package and says on every call that a newer one exists
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            tuple(inputs.values()),
            buffer,  # type: ignore[arg-type]
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    model.doc_string = ""
    for key, value in sorted((facts or {}).items()):
        model.metadata_props.add(key=key, value=value)
    path.write_bytes(model.SerializeToString(deterministic=True))
