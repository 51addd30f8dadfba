"""The words of a text, cut and folded once for every store of search, and what a wanted word finds.

A word is a run of letters, digits and `_`, without case and accents. There is no stemming and no
dictionary: languages that write without spaces are found by the beginnings of their runs only.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import combining, normalize

# Shorter than a token may be in any store.
MAX_WORD = 200
FUZZY_FROM, MAX_FUZZY = 4, 64
FRAGMENT = 200

_WORD = re.compile(r"\w+")
# Combining accents belong to the word in a text that is not composed.
_SPAN = re.compile(r"[\w\u0300-\u036f]+")


def words(text: str) -> list[str]:
    """Return the words of a text in their order."""
    return [word[:MAX_WORD] for word in _WORD.findall(folded(text))]


def folded(text: str) -> str:
    """Return a text without case and accents."""
    if text.isascii():
        return text.lower()
    parts = normalize("NFKD", text.casefold())
    return "".join(char for char in parts if not combining(char)).casefold()


@dataclass(frozen=True, slots=True)
class Term:
    """A wanted word: as it is, as the beginning of a longer one, or with one letter wrong."""

    word: str
    is_prefix: bool = False
    is_fuzzy: bool = False

    def weigh(self, word: str) -> float:
        """Return how well a word of a text fits; 0 when it does not."""
        if word == self.word:
            return 1.0
        if self.is_prefix and word.startswith(self.word):
            return 0.5
        return 0.25 if self.is_fuzzy and is_near(word, self.word) else 0.0


def terms(text: str, *, prefix: bool, typos: bool) -> tuple[Term, ...]:
    """Return what is wanted, each word once; a word with a digit in it has no typos."""
    found = list(dict.fromkeys(words(text)))
    last = words(text)[-1:] if prefix else []
    return tuple(
        Term(word, word in last, typos and FUZZY_FROM <= len(word) <= MAX_FUZZY and word.isalpha())
        for word in found
    )


def is_near(one: str, other: str) -> bool:
    """Tell whether at most one letter is other, missing or too many, or two are swapped."""
    if len(one) == len(other):
        off = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        return len(off) < 2 or (
            len(off) == 2
            and off[1] == off[0] + 1
            and one[off[0]] + one[off[1]] == other[off[1]] + other[off[0]]
        )
    short, long = sorted((one, other), key=len)
    return len(long) == len(short) + 1 and short in set(shortened(long))


def shortened(word: str) -> Iterator[str]:
    """Yield the word without each of its letters."""
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def marked(text: str, wanted: Sequence[Term]) -> str | None:
    """Return a piece of a text as HTML, the words found in <mark>; None when there is none.

    Nothing of the text itself can become markup.
    """
    spans = [span.span() for span in _SPAN.finditer(text)]
    hits = {span for span in spans if _is_hit(text[slice(*span)], wanted)}
    if not hits:
        return None
    first = min(hits)
    begin = next(start for start, _ in spans if start >= first[0] - FRAGMENT // 4)
    shown = [span for span in spans if begin <= span[0] and span[1] <= begin + FRAGMENT] or [first]
    end = len(text) if shown[-1] == spans[-1] else shown[-1][1]
    begin = 0 if shown[0] == spans[0] else begin
    made, at = ["…"] if begin else [], begin
    for start, stop in (span for span in shown if span in hits):
        made += [escape(text[at:start]), f"<mark>{escape(text[start:stop])}</mark>"]
        at = stop
    return "".join([*made, escape(text[at:end]), "…" if end < len(text) else ""])


def _is_hit(token: str, wanted: Sequence[Term]) -> bool:
    return any(term.weigh(word) for word in words(token) for term in wanted)
