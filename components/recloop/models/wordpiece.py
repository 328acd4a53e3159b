"""Text -> word pieces, as BERT's uncased models were trained to read it (Wu et al. 2016; Devlin et al. 2019)."""

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
LONGEST = 100
"""letters of a word that is still looked at"""
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


@dataclass(frozen=True)
class WordPiece:
    """The vocabulary of a model: piece -> number. Pieces within a word begin with ##."""

    numbers: dict[str, int]
    known: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)
    """words met so far"""

    @classmethod
    def load(cls, path: Path) -> "WordPiece":
        """Read vocab.txt, one piece a line."""
        return cls({piece: number for number, piece in enumerate(path.read_text("utf-8").splitlines())})

    def encode(self, text: str, *, length: int) -> list[int]:
        """Text -> at most `length` numbers, the first and last being those of [CLS] and [SEP]."""
        pieces = [number for word in words(text) for number in self._word(word)]
        return [self.numbers[FIRST], *pieces[: length - 2], self.numbers[LAST]]

    def _word(self, word: str) -> tuple[int, ...]:
        if word not in self.known:
            self.known[word] = self._pieces(word)
        return self.known[word]

    def _pieces(self, word: str) -> tuple[int, ...]:
        """The longest piece that fits, again and again; unknown where none does."""
        unknown, found, start = (self.numbers[UNKNOWN],), [], 0
        if len(word) > LONGEST:
            return unknown
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self.numbers), None)
            if end is None:
                return unknown
            found.append(self.numbers[prefix + word[start:end]])
            start = end
        return tuple(found)


def words(text: str) -> list[str]:
    """Lower-case words without accents; each sign and ideograph is a word of its own."""
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(_spaced(letter) for letter in plain).split()


def _spaced(letter: str) -> str:
    kind, code = unicodedata.category(letter), ord(letter)
    if letter in "\t\n\r" or kind == "Zs":
        return " "
    if code in {0, 0xFFFD} or kind in {"Cc", "Cf", "Co", "Cs", "Mn"}:
        return ""
    sign = kind.startswith("P") or (33 <= code <= 126 and not letter.isalnum())
    return f" {letter} " if sign or any(low <= code <= high for low, high in IDEOGRAPHS) else letter
