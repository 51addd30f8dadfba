"""Words, near words and marks; what stores make of them is for the contract of search."""

from hypothesis import given
from hypothesis import strategies as st

from rightstore.model.word import Term, is_near, marked, terms, words

some = st.text("abc", max_size=6)


def edited(word: str) -> set[str]:
    """Return every word that is one edit away, by trying all."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    gone = {a + b[1:] for a, b in cuts if b}
    other = {a + c + b[1:] for a, b in cuts if b for c in "abc"}
    more = {a + c + b for a, b in cuts for c in "abc"}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    return {word} | gone | other | more | swapped


@given(some, some)
def test_near_is_one_edit_away(one: str, other: str) -> None:
    assert is_near(one, other) == (other in edited(one))


def test_a_text_is_cut_into_words_without_case_and_accents() -> None:
    assert words("Crème-brûlée, 3.14 x_1 ﬁn STRAßE e\u0301a") == [
        "creme", "brulee", "3", "14", "x_1", "fin", "strasse", "ea",
    ]  # fmt: skip
    assert words("") == []
    assert words("-- !") == []


def test_a_very_long_word_is_cut() -> None:
    assert words("x" * 300) == ["x" * 200]


def test_only_the_last_word_is_a_beginning_and_only_long_ones_have_typos() -> None:
    assert terms("red keyb0ard Bike red bik", prefix=True, typos=True) == (
        Term("red"),
        Term("keyb0ard"),
        Term("bike", is_fuzzy=True),
        Term("bik", is_prefix=True),
    )
    assert terms("bike", prefix=False, typos=False) == (Term("bike"),)


@given(st.text("ab <>&\"'", max_size=300))
def test_nothing_of_a_text_becomes_markup(text: str) -> None:
    piece = marked(text, [Term("a")])

    if piece is not None:
        plain = piece.replace("<mark>", "").replace("</mark>", "")
        assert not set(plain) & set("<>\"'")


def test_a_short_text_is_shown_whole() -> None:
    assert marked("(a) b!", [Term("b")]) == "(a) <mark>b</mark>!"
    assert marked("a", [Term("b")]) is None
    assert marked("", [Term("b")]) is None


def test_a_word_longer_than_a_piece_is_still_shown() -> None:
    assert marked("x" * 300 + " y", [Term("x" * 200)]) == f"<mark>{'x' * 300}</mark>…"
