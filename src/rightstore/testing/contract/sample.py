"""The entities that the checks of records use, and short ways to write and find them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from rightstore.ids import new_id
from rightstore.model.condition import Condition
from rightstore.model.declaration import Declaration, declaration_of
from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe, field
from rightstore.model.order import Order
from rightstore.model.part import Part
from rightstore.model.query import orders
from rightstore.model.record import to_stored
from rightstore.model.upgrade import upgrade
from rightstore.model.wish import Index, Retain
from rightstore.ports.capability import Capability
from rightstore.ports.records import Find, Put, RecordStore


class Side(Part):
    """A part, in a list and by itself."""

    width: Field[int] = field(default=0)
    note: Field[str | None] = field(default=None)


class Sample(Entity, group="samples", rename="camel", indexes=[Index("room", "rank")]):
    """The entity of most checks; `room` keeps checks apart."""

    id: Field[str] = field(default_factory=new_id)
    room: Field[str] = field(default="")
    rank: Field[int | None] = field(default=None)
    in_stock: Field[int] = field(default=0)
    price: Field[Decimal | None] = field(default=None)
    made_at: Field[datetime | None] = field(default=None)
    tags: Field[list[str]] = field(default_factory=list)
    side: Maybe[Side] = field(default=None)
    sides: Field[list[Side]] = field(default_factory=list)
    free: Field[dict[str, Any]] = field(default_factory=dict)


class Fact(Entity, group="samples", append_only=True):
    """An entity whose records never change; of the same group as Sample."""

    id: Field[str] = field(default_factory=new_id)
    text: Field[str] = field(default="")


class Stranger(Entity):
    """An entity of another group."""

    id: Field[str] = field(default_factory=new_id)


class Visit(Entity, retain=Retain("at", timedelta(hours=1)), indexes=[Index("room")], log=False):
    """An entity whose records expire an hour after `at`."""

    id: Field[str] = field(default_factory=new_id)
    room: Field[str] = field(default="")
    at: Field[datetime | None] = field(default=None)
    seen: Field[int] = field(default=0)


class Account(
    Entity,
    indexes=[
        Index("email", unique=True),
        Index("team", "nick", unique=True, where={"closed": False}),
    ],
):
    """An entity with unique indexes, one of them partial."""

    id: Field[str] = field(default_factory=new_id)
    email: Field[str | None] = field(default=None)
    team: Field[str | None] = field(default=None)
    nick: Field[str | None] = field(default=None)
    closed: Field[bool] = field(default=False)


class Article(Entity, indexes=[Index("body", text=True)]):
    """An entity with a text index."""

    id: Field[str] = field(default_factory=new_id)
    room: Field[str] = field(default="")
    body: Field[str] = field(default="")


class OldPerson(Entity, name="Person"):
    """A person as the first release declared it."""

    id: Field[str] = field(default_factory=new_id)
    name: Field[str] = field(default="")


class Person(Entity, schema=2):
    """A person as the second release declares it: the same records."""

    id: Field[str] = field(default_factory=new_id)
    full_name: Field[str] = field(default="")
    age: Field[int] = field(default=0)


@upgrade(Person, to=2)
def _rename(old: dict[str, Any]) -> dict[str, Any]:
    return {"id": old["id"], "full_name": old["name"], "age": 30}


SAMPLE: Declaration = declaration_of(Sample)
FACT: Declaration = declaration_of(Fact)
STRANGER: Declaration = declaration_of(Stranger)
VISIT: Declaration = declaration_of(Visit)
ACCOUNT: Declaration = declaration_of(Account)
ARTICLE: Declaration = declaration_of(Article)
OLD_PERSON: Declaration = declaration_of(OldPerson)
PERSON: Declaration = declaration_of(Person)


def samples(capabilities: frozenset[Capability]) -> list[Declaration]:
    """Return the entities that a store with these capabilities must hold."""
    found = [SAMPLE, FACT, STRANGER, VISIT, OLD_PERSON, PERSON]
    if "unique" in capabilities:
        found.append(ACCOUNT)
    if "text" in capabilities:
        found.append(ARTICLE)
    return found


def new(record: Any) -> Put:
    """Return the write of a record that must not exist yet."""
    return Put(record.id, to_stored(record))


async def fill(store: RecordStore, records: Sequence[Any]) -> None:
    """Put new records of one entity."""
    for record in records:
        await store.records(declaration_of(type(record))).put(new(record))


def sorted_by(*given: Order) -> tuple[Order, ...]:
    """Return a total order of samples."""
    return orders(SAMPLE, given)


async def ids(
    store: RecordStore, where: Condition | None, *given: Order, limit: int | None = None
) -> list[str]:
    """Return the ids of the samples found, in order."""
    what = Find(where, sorted_by(*given), limit)
    return [found.data["id"] for found in await store.queries(SAMPLE).find(what)]
