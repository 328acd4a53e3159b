import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fits import CONFIG, N_CODES, histories_of, walks
from recloop.models.sequences import Gaps, Sequences

EVEN = np.concatenate([[0.0], np.full(N_CODES - 1, 1 / (N_CODES - 1))])


def sequences(histories=None, *, horizon=CONFIG.horizon, **changes):
    return Sequences(
        histories or walks(), CONFIG.model_copy(update=changes), epochs=2, seed=3, probability=EVEN, horizon=horizon
    )


def same(a, b):
    pairs = zip(a, b, strict=True)
    return all(torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in pairs)


def test_every_event_with_a_next_one_is_seen_once_an_epoch():
    rows = walks()
    made = sequences()
    starts = [e[0] for e in (made.edges[:2], made.edges[1:])]
    batches = list(made.batches(0))
    first = torch.cat([b.items.flatten() for b in batches[: starts[1]]]).numpy()
    inputs = np.delete(rows.items, rows.offsets[1:] - 1)
    assert np.bincount(first[first > 0], minlength=N_CODES).tolist() == np.bincount(inputs, minlength=N_CODES).tolist()


def test_the_last_event_of_a_user_is_a_target_only():
    (batch,) = list(Sequences(histories_of([4, 7], [9]), CONFIG, epochs=1, seed=0, probability=EVEN).batches(0))
    assert batch.items.tolist() == [[4]]
    assert batch.targets.tolist() == [[7]]
    assert batch.positions == 1


@pytest.mark.parametrize("start", [1, 5, 13, 25])
def test_batches_from_any_step_on_are_those_of_the_whole_fit(start):
    whole = list(sequences().batches(0))
    assert [b.step for b in whole] == list(range(sequences().steps))
    resumed = list(sequences().batches(start))
    assert len(resumed) == len(whole) - start > 0
    assert all(same(a, b) for a, b in zip(resumed, whole[start:], strict=True))


def test_devices_share_out_the_sequences_of_each_step():
    whole = next(sequences().batches(4))
    parts = [next(sequences().batches(4, rank=rank, world=2)) for rank in (0, 1)]
    for name in ("items", "targets"):
        shared = torch.empty_like(getattr(whole, name))
        shared[0::2], shared[1::2] = getattr(parts[0], name), getattr(parts[1], name)
        assert torch.equal(shared, getattr(whole, name))
    assert torch.equal(parts[0].negatives, parts[1].negatives)
    assert parts[0].positions == parts[1].positions == whole.positions


def test_users_with_one_event_give_no_step():
    assert sequences(histories_of([1], [2], [])).steps == 0


def test_negatives_and_cuts_are_drawn_anew_in_every_step_and_epoch():
    made = sequences()
    drawn = {tuple(batch.negatives.tolist()) for batch in made.batches(0)}
    assert len(drawn) == made.steps > 20
    assert not np.array_equal(made._pieces(0), made._pieces(1))


def test_negatives_come_in_their_proportions_and_never_as_padding():
    skewed = np.zeros(N_CODES)
    skewed[[1, N_CODES - 1]] = [0.9, 0.1]
    made = Sequences(walks(), CONFIG.model_copy(update={"negatives": 4000}), epochs=1, seed=0, probability=skewed)
    drawn = np.bincount(next(made.batches(0)).negatives.numpy(), minlength=N_CODES) / 4000
    assert drawn[[1, N_CODES - 1]] == pytest.approx([0.9, 0.1], abs=0.02)
    assert drawn[2:-1].sum() == drawn[0] == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=12), st.integers(1, 6), st.integers(1, 8))
def test_targets_lie_within_the_horizon_after_their_item_in_the_same_history(lengths, horizon, length):
    # item n of user u is 100 u + n, so that a code names its place
    rows = [[100 * u + n + 1 for n in range(size)] for u, size in enumerate(lengths)]
    made = sequences(histories_of(*rows), horizon=horizon, length=length)
    for batch in made.batches(0):
        real = batch.items > 0
        assert torch.equal(real, batch.targets > 0)
        ahead = (batch.targets - batch.items)[real]
        assert ahead.min() >= 1
        assert ahead.max() <= horizon
        assert torch.equal((batch.targets // 100)[real], (batch.items // 100)[real])


def gaps(*rows, **changes):
    return Gaps(histories_of(*rows), CONFIG.model_copy(update=changes), 40, 3, EVEN, mask_share=0.3)


def test_what_fills_the_gaps_is_what_was_taken_out():
    for batch in gaps([4, 7, 9, 2], [5, 6]).batches(0):
        gap = batch.targets > 0
        inside = torch.arange(batch.items.shape[1]) < batch.lengths[:, None]
        assert torch.equal(gap, inside & (batch.items == 0))
        assert gap.any(1).all()
        whole = torch.where(gap, batch.targets, batch.items)
        assert {tuple(row[row > 0].tolist()) for row in whole} <= {(4, 7, 9, 2), (5, 6)} | {
            tail for n in range(1, 4) for tail in ((4, 7, 9, 2)[:n], (4, 7, 9, 2)[n:], (5,), (6,))
        }
        assert batch.positions == int(gap.sum())


def test_both_a_gap_inside_and_the_last_alone_occur():
    made = [b.targets for b in gaps([4, 7, 9, 2], length=20).batches(0) if b.targets.shape[1] == 4]
    assert any(t[0, :3].any() for t in made)
    assert any(t[0, 3] and not t[0, :3].any() for t in made)


def test_a_single_item_is_no_gap_to_fill():
    assert gaps([4], [5]).steps == 0


def test_times_are_counted_from_the_first_event_of_a_piece():
    (batch,) = list(Sequences(histories_of([4, 7, 8]), CONFIG, 1, 0, EVEN).batches(0))
    assert batch.times.flatten().tolist() in ([0, 3600], [0, 0])
