import inspect
import re

import pytest

from recloop import errors

CLASSES = {n: c for n, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)}
TREE = re.findall(r"^    ([| ]*)\+-- (\w+) .*?(?:\((\w+)\))?$", errors.__doc__, re.MULTILINE)


def test_the_drawn_tree_names_every_class_once():
    assert sorted(name for _, name, _ in TREE) == sorted(CLASSES)


def test_the_drawn_tree_shows_the_real_parents():
    path = []
    for indent, name, _ in TREE:
        depth = len(indent) // 4
        path = [*path[:depth], name]
        parent = CLASSES[path[-2]] if depth else Exception
        assert issubclass(CLASSES[name], parent), name


@pytest.mark.parametrize(("name", "builtin"), [(n, b) for _, n, b in TREE if b])
def test_the_builtin_in_brackets_is_a_parent(name, builtin):
    assert issubclass(CLASSES[name], __builtins__[builtin])


def test_what_a_retry_can_mend_is_not_permanent():
    assert not any(issubclass(c, errors.Permanent) for c in (errors.Conflict, errors.Busy, errors.Unavailable))


def test_a_bad_request_names_its_field():
    assert errors.BadRequest("k is -1; it must be positive.", field="k").field == "k"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_says_what_it_means(name):
    assert CLASSES[name].__doc__.endswith(".") or "\n" in CLASSES[name].__doc__
