import numpy as np

from recloop.evaluation.experiments.assignment import held_out, point, variant_of
from recloop.evaluation.experiments.design import Design, Running, Variant

USERS = [f"u{n}" for n in range(4_000)]


def running(*shares, part=(0.0, 1.0), since=1.0, layer="default"):
    variants = tuple(Variant(name=f"v{n}", share=share) for n, share in enumerate(shares))
    return Running(design=Design(name="x", variants=variants, layer=layer), part=part, since=since)


def names(own):
    return np.array([variant.name if (variant := variant_of(own, user)) else "" for user in USERS])


def test_points_are_sticky_and_uniform():
    points = np.array([point(user, "salt") for user in USERS])
    assert point("u1", "salt") == points[1]
    assert abs(np.histogram(points, 10, (0, 1))[0] - 400).max() < 80


def test_variants_get_their_shares():
    found = names(running(3, 1))
    assert abs((found == "v1").mean() - 0.25) < 0.02


def test_users_outside_the_part_are_in_no_variant_and_parts_do_not_overlap():
    first, second = names(running(1, 1, part=(0.0, 0.3))), names(running(1, 1, part=(0.3, 0.6)))
    assert abs((first != "").mean() - 0.3) < 0.03
    assert not ((first != "") & (second != "")).any()


def test_experiments_of_two_layers_and_reruns_cross_at_random():
    first = names(running(1, 1, layer="ranking")) == "v0"
    for other in (running(1, 1, layer="policy", since=2.0), running(1, 1, layer="ranking", since=3.0)):
        assert abs((first == (names(other) == "v0")).mean() - 0.5) < 0.03


def test_the_holdout_is_a_share_of_the_users():
    assert abs(np.mean([held_out(user, 0.1) for user in USERS]) - 0.1) < 0.02
    assert not held_out("u1", 0.0)
