"""Checks of words, relevance, highlight and suggestions.

They cannot catch a measure of relevance that is merely poor: only what every measure must keep.
"""
# ruff: noqa: S101, D103 - a check asserts, and its name is its sentence

import re

import pytest

from rightstore.errors import InvalidQueryError, UnsupportedError
from rightstore.ids import new_id
from rightstore.ports.search import MAX_QUERY, MAX_RELEVANT, Ask, SearchStore
from rightstore.testing.contract.search_check import check, refusal
from rightstore.testing.contract.search_sample import (
    CARD,
    SCALE,
    Card,
    Maker,
    Scale,
    asked,
    document,
    fill,
    found,
)

# In Cyrillic letters.
CITY = "\u043c\u043e\u0441\u043a\u0432\u0430"


def word() -> str:
    """Return a word of letters that no other check has."""
    digits = str.maketrans("0123456789", "ghijklmnop")
    return "w" + new_id().replace("-", "").translate(digits)


@check()
async def every_word_must_be_in_some_field(store: SearchStore) -> None:
    room = await fill(
        store,
        [
            Card(id="a", title="red bike", body="with a bell"),
            Card(id="b", title="red car", tags=["bike", "bell"]),
            Card(id="c", title="red", maker=Maker(name="Bell")),
            Card(id="d", title="redbike"),
        ],
    )

    assert await found(store, room, "red bike") == "ab"
    assert await found(store, room, "bell red") == "abc"
    assert await found(store, room, "bike bike") == "ab"
    assert await found(store, room, "green bike") == ""


@check()
async def words_are_found_without_case_accents_and_signs(store: SearchStore) -> None:
    room = await fill(
        store,
        [
            Card(id="a", title="Crème Brûlée, don't-stop!"),
            Card(id="b", title="STRASSE 3.14"),
            Card(id="c", title="Straße user_name@example.com"),
            Card(id="d", title=f"{CITY} 東京"),
        ],
    )

    asks = ["creme BRULEE", "stop don", "straße", "strasse 14", "user_name example", CITY.upper()]
    assert [await found(store, room, ask) for ask in asks] == ["a", "a", "bc", "b", "c", "d"]


@check()
async def an_empty_text_is_everything_and_one_without_words_nothing(store: SearchStore) -> None:
    room = await fill(store, [Card(id="a", title="x"), Card(id="b")])

    assert await found(store, room, "") == "ab"
    assert await found(store, room, "  ") == "ab"
    assert await found(store, room, "!?&|") == ""


@check()
async def markup_in_a_text_is_text(store: SearchStore) -> None:
    room = await fill(store, [Card(id="a", body='<script src="http://a.b/c">alert(1)</script>')])

    assert await found(store, room, "script") == "a"
    assert await found(store, room, "alert src") == "a"


@check()
async def the_last_word_may_be_a_beginning(store: SearchStore) -> None:
    room = await fill(
        store,
        [
            Card(id="a", title="iPhone 15"),
            Card(id="b", title="iPad", body="phone"),
            Card(id="c", tags=["iphones"]),
        ],
    )

    assert await found(store, room, "iph", prefix=True) == "ac"
    assert await found(store, room, "i", prefix=True) == "abc"
    assert await found(store, room, "15 ipho", prefix=True) == "a"
    assert await found(store, room, "ipho 15", prefix=True) == ""
    assert await found(store, room, "iph") == ""


@check()
async def a_beginning_finds_all_of_many_words(store: SearchStore) -> None:
    start = word()
    room = await fill(store, [Card(title=f"{start}{n:04}") for n in range(700)])

    hits = await asked(store, room, Ask(start, prefix=True, size=0))

    assert hits.total == 700


@check()
async def a_heavier_field_comes_first(store: SearchStore) -> None:
    wanted = word()
    room = await fill(
        store,
        [
            Card(id="c", body=wanted, title="other", maker=Maker(name="other")),
            Card(id="b", maker=Maker(name=wanted), title="other", body="other"),
            Card(id="a", title=wanted, body="other", maker=Maker(name="other")),
        ],
    )

    assert await found(store, room, wanted, orders=()) == "abc"


@check()
async def equal_ones_come_by_key(store: SearchStore) -> None:
    wanted = word()
    room = await fill(store, [Card(id=one, title=wanted) for one in "dbac"])

    assert await found(store, room, wanted, orders=()) == "abcd"
    assert await found(store, room, orders=()) == "abcd"


async def _scale(store: SearchStore) -> str:
    wanted, index = word(), store.index(SCALE)
    names = "abcdef"
    await index.index(
        [
            document(Scale(**{name: wanted if name == at else "filler" for name in names}))
            for at in reversed(names)
        ]
    )
    await index.settle()
    hits = await index.query(Ask(wanted))
    return "".join(name for hit in hits.items for name in names if hit.data[name] == wanted)


@check("weights")
async def each_weight_counts(store: SearchStore) -> None:
    assert await _scale(store) == "abcdef"


@refusal("weights")
async def weights_beyond_four_are_rounded_and_never_turned_round(store: SearchStore) -> None:
    order = await _scale(store)

    assert sorted(order) == list("abcdef")
    assert order != "abcdef"
    assert order.index("a") < order.index("d") < order.index("f")


@check("typos")
async def one_letter_wrong_is_forgiven(store: SearchStore) -> None:
    room = await fill(store, [Card(id="a", title="zerbulon"), Card(id="b", body="other")])
    near = [
        "zerublon",
        "zerbuln",
        "zerbulonn",
        "zerbxlon",
        "erbulon",
        "zxerbulon",
    ]

    assert [await found(store, room, ask, typos=True) for ask in near] == ["a"] * 6
    assert [await found(store, room, ask) for ask in near] == [""] * 6
    assert await found(store, room, "ZERBÜLON", typos=True) == "a"


@check("typos")
async def two_letters_wrong_short_words_and_numbers_are_not(store: SearchStore) -> None:
    room = await fill(store, [Card(id="a", title="zerbulon cat 2024"), Card(id="b", title="bcde")])

    asks = ["zexublon", "bulonzer", "cot", "2025", "erbxlon", "abcx", "cdef"]
    assert [await found(store, room, ask, typos=True) for ask in asks] == [""] * len(asks)
    assert await found(store, room, "cat 2024 zerblon", typos=True) == "a"


@check("typos")
async def an_exact_word_comes_before_a_near_one(store: SearchStore) -> None:
    wanted = word()
    near = wanted[:-1] + ("a" if wanted[-1] != "a" else "b")
    room = await fill(store, [Card(id="1", title=near), Card(id="2", title=wanted)])

    assert await found(store, room, wanted, typos=True, orders=()) == "21"


@check("typos")
async def a_typo_and_a_beginning_go_together(store: SearchStore) -> None:
    room = await fill(store, [Card(id="a", title="zerbulon keyboard"), Card(id="b", title="key")])

    assert await found(store, room, "zerblon key", typos=True, prefix=True) == "a"


@refusal("typos")
async def typos_are_refused_where_they_are_not_forgiven(store: SearchStore) -> None:
    room = await fill(store, [Card(id="a", title="zerbulon")])

    with pytest.raises(UnsupportedError, match="typos"):
        await found(store, room, "zerublon", typos=True)


@check()
async def what_was_found_is_marked_and_everything_else_escaped(store: SearchStore) -> None:
    room = await fill(
        store,
        [
            Card(
                title='<img src=x onerror="alert(1)"> Bike & Bells',
                body="no such word",
                tags=["bike</mark><script>"],
            )
        ],
    )

    (hit,) = (await asked(store, room, Ask("BIKE", highlight=True))).items

    assert dict(hit.marks) == {
        "title": "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; <mark>Bike</mark> &amp; Bells",
        "tags": "<mark>bike</mark>&lt;/mark&gt;&lt;script&gt;",
    }


@check()
async def a_mark_shows_the_piece_with_the_words(store: SearchStore) -> None:
    filler = " ".join(f"word{n}" for n in range(300))
    room = await fill(store, [Card(body=f"{filler} the Needle here {filler}")])

    (hit,) = (await asked(store, room, Ask("need", prefix=True, highlight=True))).items

    piece = hit.marks["body"]
    assert "<mark>Needle</mark> here" in piece
    assert len(re.sub(r"</?mark>", "", piece)) <= 202
    assert piece.startswith("…")
    assert piece.endswith("…")


@check()
async def without_being_asked_nothing_is_marked(store: SearchStore) -> None:
    room = await fill(store, [Card(title="bike")])

    (hit,) = (await asked(store, room, Ask("bike"))).items

    assert dict(hit.marks) == {}


@check()
async def values_that_begin_like_this_are_suggested(store: SearchStore) -> None:
    one = word()
    titles = [f"{one} Pro", f"{one} Pro", f"{one} Air", f"Big {one}", "other"]
    await fill(store, [Card(title=title, body=f"{one} prose") for title in titles])
    index = store.index(CARD)

    assert await index.suggest(one[:-2].upper()) == [f"{one} Pro", f"Big {one}", f"{one} Air"]
    assert await index.suggest(f"{one} p") == [f"{one} Pro"]
    assert await index.suggest(one, 1) == [f"{one} Pro"]
    assert await index.suggest(f"{one} prose") == []
    assert await index.suggest("") == []
    assert await index.suggest("&|!") == []


@check()
async def a_deleted_value_is_not_suggested(store: SearchStore) -> None:
    one = word()
    card = Card(title=one)
    index = store.index(CARD)
    await index.index([document(card)])

    await index.index([type(document(card))(card.id, 2, None)])

    await index.settle()
    assert await index.suggest(one) == []


@check()
async def by_relevance_pages_go_on_to_a_thousand_and_say_so(store: SearchStore) -> None:
    wanted = word()
    room = await fill(store, [Card(title=wanted) for _ in range(MAX_RELEVANT + 5)])
    seen: list[str] = []
    ask = Ask(wanted, size=450)

    for _ in range(3):
        hits = await asked(store, room, ask)
        seen += [hit.key for hit in hits.items]
        ask = Ask(wanted, size=450, after=hits.next)

    assert len(seen) == MAX_RELEVANT
    assert len(set(seen)) == MAX_RELEVANT
    assert hits.next == (MAX_RELEVANT,)
    with pytest.raises(InvalidQueryError, match="first 1000 hits"):
        await asked(store, room, ask)


@check()
async def too_long_a_question_is_refused(store: SearchStore) -> None:
    for ask in (
        Ask("x" * (MAX_QUERY + 1)),
        Ask(" ".join(map(str, range(33)))),
        Ask(size=1_001),
        Ask(size=-1),
        Ask(after=("x", "y")),
    ):
        with pytest.raises(InvalidQueryError):
            await store.index(CARD).query(ask)


@check("typos")
async def many_near_words_are_all_found(store: SearchStore) -> None:
    start = word()[:20]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    near = [start[:at] + letter + start[at + 1 :] for at in range(12) for letter in letters]
    room = await fill(store, [Card(title=one, body=one) for one in dict.fromkeys(near)])
    wanted = " ".join([start, *(start[:at] + start[at + 1 :] for at in range(14, 20))])

    hits = await asked(store, room, Ask(start, typos=True, size=0))
    none = await asked(store, room, Ask(f"{wanted} nowhere", typos=True, size=0))

    assert hits.total == len(set(near))
    assert none.total == 0
