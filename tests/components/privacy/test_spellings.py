import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.privacy.spellings import held


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.booleans())
def test_an_id_in_json_is_found_however_it_is_escaped(id_, ascii_only):
    assert held(json.dumps({"user": id_}, ensure_ascii=ascii_only).encode(), id_)


@pytest.mark.parametrize("text", [r'"line\n4711"', r'"\u201c4711\u201d"', "/users?id%3D4711", "4711", "47114711 4711"])
def test_a_letter_of_an_escape_is_no_part_of_the_id(text):
    assert held(text.encode(), "4711")


@pytest.mark.parametrize("text", ["x4711", "47110", "n4711", "14711 47112", ""])
def test_an_id_that_goes_on_is_another(text):
    assert not held(text.encode(), "4711")


@pytest.mark.parametrize("text", [r"m\u00fcller", r"m\u00FCller", "m%C3%BCller", "m\u00fcller"])
def test_letters_outside_ascii_are_found_in_every_spelling(text):
    assert held(f'"{text}"'.encode(), "m\u00fcller")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-le"])
def test_wide_text_is_told_from_a_longer_id(encoding):
    assert held("a 4711 b".encode(encoding), "4711")
    assert not held("a 47110 b".encode(encoding), "4711")
