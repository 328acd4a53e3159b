import pytest
from pydantic import ValidationError

from recloop.errors import BadRequest
from recloop.evaluation.experiments.design import Design, Running, Variant, room

AB = (Variant(name="a"), Variant(name="b"))


def running(name, part, **changes):
    own = Design(name=name, variants=AB, allocation=part[1] - part[0])
    return Running(design=own, part=part, since=5.0, **changes)


def test_an_experiment_takes_the_first_free_part_of_its_layer():
    others = (running("x", (0.0, 0.5)), running("y", (0.7, 0.8)))
    assert room(Design(name="z", variants=AB, allocation=0.2), others) == (0.5, 0.7)


def test_one_that_was_stopped_or_lies_in_another_layer_holds_nothing():
    others = (running("x", (0.0, 1.0), until=9.0),)
    assert room(Design(name="z", variants=AB), others) == (0.0, 1.0)
    full = (running("x", (0.0, 1.0)),)
    assert room(Design(name="z", variants=AB, layer="policy"), full) == (0.0, 1.0)


def test_a_full_layer_says_who_holds_it():
    with pytest.raises(BadRequest, match=r"held by x \(60%\)"):
        room(Design(name="z", variants=AB, allocation=0.5), (running("x", (0.0, 0.6)),))


def test_two_variants_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="two variants are called a"):
        Design(name="z", variants=(AB[0], AB[0]))
