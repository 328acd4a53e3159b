import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.errors import BadArtifact
from recloop.serving.segment import HEAD, cut_torn, encode, read_segment, salvage

RECORDS = [{"kind": "event", "event_id": f"e{n}", "item_id": "x" * n} for n in range(1, 6)]


@pytest.fixture
def segment(tmp_path):
    path = tmp_path / "segment.log"
    path.write_bytes(b"".join(map(encode, RECORDS)))
    return path


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)


@given(st.lists(st.dictionaries(TEXT, VALUES | st.lists(VALUES), min_size=1), max_size=20))
def test_whatever_is_written_is_read_again(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("any") / "segment.log"
    path.write_bytes(b"".join(map(encode, records)))
    assert read_segment(path) == records
    assert cut_torn(path) is None


def starts():
    found = [0]
    for record in RECORDS:
        found.append(found[-1] + len(encode(record)))
    return found


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


def test_records_are_read_as_they_were_written(segment):
    assert read_segment(segment) == RECORDS


@given(st.integers(min_value=0, max_value=len(b"".join(map(encode, RECORDS)))))
def test_a_tail_cut_anywhere_leaves_the_whole_records_before_it(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("torn") / "active.log"
    data = b"".join(map(encode, RECORDS))[:length]
    path.write_bytes(data)
    whole = sum(end <= length for end in starts()[1:])

    aside = cut_torn(path)

    assert read_segment(path) == RECORDS[:whole]
    assert (aside.read_bytes() if aside else b"") == data[starts()[whole] :]


def test_zeros_at_the_end_are_a_torn_tail(segment):
    whole = segment.stat().st_size
    segment.write_bytes(segment.read_bytes() + bytes(4096))
    assert cut_torn(segment) is not None
    assert segment.stat().st_size == whole


def test_zeros_are_no_record(segment):
    segment.write_bytes(bytes(HEAD.size * 2))
    with pytest.raises(BadArtifact, match="at byte 0"):
        read_segment(segment)


@pytest.mark.parametrize("within", [0, 3, 4, HEAD.size + 2])
def test_damage_in_the_middle_is_refused_by_place_and_cuts_nothing(segment, within):
    flip(segment, starts()[2] + within)
    before = segment.read_bytes()
    for reading in (read_segment, cut_torn):
        with pytest.raises(BadArtifact, match=rf"segment.log is damaged at byte {starts()[2]}"):
            reading(segment)
    assert segment.read_bytes() == before


def test_salvage_keeps_sound_records_and_lays_the_damaged_aside(segment):
    flip(segment, starts()[1] + HEAD.size)
    flip(segment, starts()[3] + HEAD.size)
    damaged = segment.read_bytes()

    aside = salvage(segment)

    assert read_segment(segment) == [RECORDS[0], RECORDS[2], RECORDS[4]]
    assert [path.read_bytes() for path in aside] == [damaged[starts()[n] : starts()[n + 1]] for n in (1, 3)]


def test_salvage_of_a_sound_segment_changes_nothing(segment):
    before = segment.read_bytes()
    assert salvage(segment) == []
    assert segment.read_bytes() == before
