"""The entities that the checks of search use, and short ways to index and find them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rightstore.ids import new_id
from rightstore.model.condition import Condition
from rightstore.model.declaration import Declaration, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe, field
from rightstore.model.order import Order
from rightstore.model.part import Part
from rightstore.model.query import orders
from rightstore.model.record import to_stored
from rightstore.model.wish import Search
from rightstore.ports.search import Ask, Document, Hits, SearchStore


class Maker(Part):
    """A part, by itself and in a list."""

    name: Field[str] = field(default="")
    country: Field[str | None] = field(default=None)
    since: Field[int] = field(default=0)


class Card(
    Entity,
    rename="camel",
    search=Search(
        "title^3",
        "body",
        "tags",
        "maker.name^2",
        facets=["brand", "tags", "in_stock", "is_new", "price", "made_at", "maker.country"],
    ),
):
    """The read model of most checks; `room` keeps checks apart."""

    id: Field[str] = field(default_factory=new_id)
    room: Field[str] = field(default="")
    title: Field[str] = field(default="")
    body: Field[str] = field(default="")
    tags: Field[list[str]] = field(default_factory=list)
    brand: Field[str | None] = field(default=None)
    price: Field[Decimal | None] = field(default=None)
    in_stock: Field[int | None] = field(default=None)
    weight: Field[float | None] = field(default=None)
    is_new: Field[bool] = field(default=False)
    made_at: Field[datetime | None] = field(default=None)
    day: Field[date | None] = field(default=None)
    code: Field[UUID | None] = field(default=None)
    maker: Maybe[Maker] = field(default=None)
    makers: Field[list[Maker]] = field(default_factory=list)
    free: Field[dict[str, Any]] = field(default_factory=dict)
    sizes: Field[dict[str, int]] = field(default_factory=dict)


class Scale(Entity, search=Search("a^60", "b^50", "c^40", "d^30", "e^20", "f^10")):
    """An entity with more different weights than four."""

    id: Field[str] = field(default_factory=new_id)
    a: Field[str] = field(default="")
    b: Field[str] = field(default="")
    c: Field[str] = field(default="")
    d: Field[str] = field(default="")
    e: Field[str] = field(default="")
    f: Field[str] = field(default="")


class Chapter(Entity, search=Search("title", facets=["title"])):
    """An entity whose index is rebuilt by the checks."""

    id: Field[str] = field(default_factory=new_id)
    title: Field[str] = field(default="")


class Unsearched(Entity):
    """An entity that declares no search."""

    id: Field[str] = field(default_factory=new_id)


CARD: Declaration = declaration_of(Card)
SCALE: Declaration = declaration_of(Scale)
CHAPTER: Declaration = declaration_of(Chapter)
UNSEARCHED: Declaration = declaration_of(Unsearched)
SAMPLES: tuple[Declaration, ...] = (CARD, SCALE, CHAPTER)


def document(record: Any, version: int = 1) -> Document:
    """Return a record as a document."""
    return Document(record.id, version, to_stored(record))


async def fill(store: SearchStore, cards: Iterable[Card]) -> str:
    """Index cards in a room of their own, and see that they are found; return the room.

    Their ids are made unique by the room; `found` takes it away again.
    """
    room = new_id()
    documents = []
    for card in cards:
        card.room, card.id = room, f"{room}{card.id}"
        documents.append(document(card))
    index = store.index(CARD)
    assert await index.index(documents) == [True] * len(documents)  # noqa: S101 - of a check
    await index.settle()
    return room


async def asked(store: SearchStore, room: str, ask: Ask) -> Hits:
    """Return what is found in a room."""
    mine = Card.room == room
    where = mine if ask.where is None else mine & ask.where
    return await store.index(CARD).query(replace(ask, where=where))


async def found(
    store: SearchStore, room: str, text: str = "", where: Condition | None = None, **words: Any
) -> str:
    """Return the ids of what is found in a room, joined: by key, unless asked otherwise."""
    ask = Ask(text, where, **({"orders": by()} | words))
    hits = await asked(store, room, ask)
    return "".join(hit.data["id"].removeprefix(room) for hit in hits.items)


def by(*given: Order) -> tuple[Order, ...]:
    """Return a total order of cards."""
    return orders(CARD, given)
