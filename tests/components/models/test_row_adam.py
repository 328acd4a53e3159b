import pytest
import torch
from torch.nn.functional import embedding

import fits
from recloop.config import SASRecConfig
from recloop.errors import Stopped
from recloop.models.row_adam import RowAdam
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of

CODES = torch.tensor([1, 3, 3])


def stepped(optimiser, *, sparse, steps=3):
    torch.manual_seed(0)
    table, dense = torch.nn.Parameter(torch.randn(5, 2)), torch.nn.Parameter(torch.randn(2))
    best = optimiser([table, dense], lr=0.1)
    for _ in range(steps):
        best.zero_grad()
        (embedding(CODES, table, sparse=sparse) @ dense).square().sum().backward()
        best.step()
    return table.detach(), dense.detach()


def test_touched_rows_and_dense_weights_move_as_adam_moves_them():
    for own, theirs in zip(stepped(RowAdam, sparse=True), stepped(torch.optim.Adam, sparse=False), strict=True):
        assert torch.allclose(own, theirs, atol=1e-6)


def test_rows_that_a_step_does_not_touch_stay():
    table = torch.nn.Parameter(torch.ones(3, 2))
    best = RowAdam([table], lr=0.1)
    for code in (1, 2):
        best.zero_grad()
        embedding(torch.tensor([code]), table, sparse=True).sum().backward()
        best.step()
    assert table.tolist()[0] == [1.0, 1.0]
    assert table.tolist()[1] == pytest.approx([0.9, 0.9])


def test_the_loss_and_its_gradient_are_those_of_the_whole_table():
    found = {}
    for sparse in (False, True):
        config = fits.CONFIG.model_copy(update={"sparse": sparse, "dropout": 0.0})
        torch.manual_seed(1)
        net, plan = SASRec(fits.N_CODES, config), plan_of(fits.walks(), fits.N_CODES, config, 1, 1)
        loss = plan.loss(net, next(plan.batches(0, rank=0, world=1)), 1)
        loss.backward()
        found[sparse] = loss.item(), net.items.weight.grad
    assert found[True][1].is_sparse
    assert found[True][0] == pytest.approx(found[False][0], rel=1e-6)
    assert torch.allclose(found[True][1].to_dense(), found[False][1], atol=1e-6)


def test_a_sparse_fit_goes_on_where_it_was_killed_and_ends_with_the_same_bytes(tmp_path):
    config = fits.CONFIG.model_copy(update={"sparse": True, "fast": True})
    fits.fit(tmp_path / "one", tmp_path / "work one", config=config)

    def stop(what, share):
        if share > 0.4:
            raise Stopped

    told = {"n_codes": fits.N_CODES, "config": config, "seed": 5, "out": tmp_path, "work": tmp_path}
    trainer = fits.TrainerConfig(threads=1, checkpoint_seconds=1e-9)
    with pytest.raises(Stopped):
        fits.fit_sasrec(fits.walks(), trainer=trainer, progress=stop, **told)
    fits.fit_sasrec(fits.walks(), trainer=trainer, **told)
    assert (tmp_path / "item_vectors.npy").read_bytes() == (tmp_path / "one" / "item_vectors.npy").read_bytes()


@pytest.mark.parametrize("beside", [{"loss": "full"}, {"weight_decay": 0.1}])
def test_what_moves_every_vector_cannot_stand_beside_sparse(beside):
    with pytest.raises(ValueError, match="sparse moves the vectors of a step's own items"):
        SASRecConfig(sparse=True, **beside)
