import pytest

from recloop.models.wordpiece import WordPiece, words

PIECES = WordPiece(
    {p: n for n, p in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cat", "##s", "15", "##cm", ",", "ca"])}
)


def test_words_are_parted_at_signs_and_ideographs_and_lose_accents():
    assert words("Caf\u00e9, L.A. (15CM)\u4e2d\u6587") == [
        "cafe",
        ",",
        "l",
        ".",
        "a",
        ".",
        "(",
        "15cm",
        ")",
        "\u4e2d",
        "\u6587",
    ]


def test_a_currency_that_is_no_ascii_sign_stays_in_its_word():
    assert words("\u20ac5 $5 a_b") == ["\u20ac5", "$", "5", "a", "_", "b"]


def test_what_cannot_be_seen_parts_nothing():
    assert words("a\u200bb\tc\x00d") == ["ab", "cd"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Cats, 15cm", [2, 4, 5, 8, 6, 7, 3]),
        ("dog cat", [2, 1, 4, 3]),
        ("catx", [2, 1, 3]),
        ("", [2, 3]),
        ("c" * 101, [2, 1, 3]),
    ],
)
def test_the_longest_pieces_are_taken_and_a_word_without_them_is_unknown(text, numbers):
    assert PIECES.encode(text, length=64) == numbers


def test_a_long_text_is_cut_and_still_ends():
    assert PIECES.encode("cat cat cat cat", length=4) == [2, 4, 4, 3]


def test_a_vocabulary_is_numbered_by_its_lines(tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\nna\u00efve\n", encoding="utf-8")
    assert WordPiece.load(tmp_path / "vocab.txt").numbers == {"[PAD]": 0, "[UNK]": 1, "na\u00efve": 2}
