import numpy as np
import pytest
from safetensors.numpy import load_file

from recloop import tensors

TABLE = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize("laid", [np.asfortranarray, lambda table: np.repeat(table, 2, axis=1)[:, ::2]])
def test_an_array_is_read_as_it_was_however_it_lay_in_memory(tmp_path, laid):
    tensors.save({"table": laid(TABLE)}, tmp_path / "t.safetensors")
    assert load_file(tmp_path / "t.safetensors")["table"].tolist() == TABLE.tolist()
