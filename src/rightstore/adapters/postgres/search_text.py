"""Words of a document for PostgreSQL, and wanted words as its queries. It asks the server nothing.

PostgreSQL cuts no text here: the words are ours, so nothing in a text is syntax. Typos need no
extension: an index has a vocabulary, each word with one letter masked in turn (`b*ke`).
"""

from collections.abc import Iterable, Mapping, Sequence

from rightstore.errors import UnsupportedError
from rightstore.model.declaration import Declaration
from rightstore.model.word import FUZZY_FROM, MAX_FUZZY, Term, shortened, words
from rightstore.ports.question import suggested, texts
from rightstore.ports.search import Document

CLASSES = "ABCD"
# Limits of a tsvector: it counts no further and keeps no more places of a word.
MAX_PLACE, MAX_PLACES = 16_383, 255
MASK = "*"


def classes_of(declaration: Declaration) -> Mapping[int, str]:
    """Return the class that stands for each weight: the server has four.

    Up to four different weights count exactly; of more, neighbours share a class.
    """
    weights = sorted({text.weight for text in texts(declaration)}, reverse=True)
    count = max(len(weights), len(CLASSES))
    return {weight: CLASSES[at * len(CLASSES) // count] for at, weight in enumerate(weights)}


def class_weights(declaration: Declaration) -> list[float]:
    """Return what the classes D, C, B, A count for, the heaviest 1: that of its heaviest field."""
    classes = classes_of(declaration)
    most = max(classes)
    heaviest = {name: max(it for it, its in classes.items() if its == name) for name in CLASSES
                if name in classes.values()}  # fmt: skip
    return [heaviest.get(name, 0) / most for name in reversed(CLASSES)]


def vector_of(declaration: Declaration, document: Document) -> str:
    """Return the words of a document as the text of a tsvector: places and classes with them."""
    classes, places, at = classes_of(declaration), dict[str, list[str]](), 0
    for text in texts(declaration):
        for word in words(text.of(document.data or {})):
            at += 1
            seen = places.setdefault(word, [])
            if len(seen) < MAX_PLACES:
                seen.append(f"{min(at, MAX_PLACE)}{classes[text.weight]}")
    return " ".join(f"'{word}':{','.join(seen)}" for word, seen in places.items())


def title_of(declaration: Declaration, document: Document) -> str:
    """Return the words of the value that is suggested."""
    try:
        text = suggested(declaration)
    except UnsupportedError:
        return ""
    return " ".join(f"'{word}'" for word in dict.fromkeys(words(text.of(document.data or {}))))


def vocabulary_of(declaration: Declaration, documents: Iterable[Document]) -> list[str]:
    """Return the words of documents that a typo can lead to."""
    found = {
        word
        for document in documents
        for text in texts(declaration)
        for word in words(text.of(document.data or {}))
    }
    return sorted(word for word in found if FUZZY_FROM - 1 <= len(word) <= MAX_FUZZY + 1)


def query_of(terms: Sequence[Term]) -> str:
    """Return what finds any of the wanted words without typos, as the text of a tsquery."""
    return " | ".join(f"'{term.word}'" + (":*" if term.is_prefix else "") for term in terms)


def others_of(term: Term) -> list[str]:
    """Return the words with a letter less, or with two swapped."""
    word = term.word
    swapped = (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))
    return [*dict.fromkeys([*shortened(word), *swapped])]


def masks_of(term: Term) -> list[str]:
    """Return the masks of the words that have one letter other, or one more."""
    word = term.word
    other = (word[:at] + MASK + word[at + 1 :] for at in range(len(word)))
    longer = (word[:at] + MASK + word[at:] for at in range(len(word) + 1))
    return [*other, *longer]
