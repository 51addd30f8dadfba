"""A wrong declaration fails at import with one line: the entity, the field and the remedy."""

import enum
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest

from rightstore.errors import UsageError
from rightstore.ids import new_id
from rightstore.model.entity import Entity
from rightstore.model.event import Event
from rightstore.model.field import Field, Maybe, field
from rightstore.model.job import Job
from rightstore.model.part import Part
from rightstore.model.upgrade import upgrade
from rightstore.model.wish import Cache, Index, Personal, Retain, Search

Body = dict[str, Any]
DAY = timedelta(days=1)
NUMBER: Any = 1


class Geo(Part):
    country: Field[str]
    seen_at: Field[datetime | None] = field(default=None)


class Mixed(enum.Enum):
    A = 1
    B = "b"


class Fact(Event, name="fact", key="id"):
    id: str


def entity(body: Body | None = None, /, **words: Any) -> Callable[[], object]:
    """Declare an entity with these annotations (and defaults) and class keywords."""
    fields: Body = {"id": Field[str], "name": Field[str], "at": Field[datetime]} | (body or {})
    pairs = {name: v if isinstance(v, tuple) else (v,) for name, v in fields.items()}
    space: Body = {name: pair[1] for name, pair in pairs.items() if len(pair) > 1}
    space["__annotations__"] = {name: pair[0] for name, pair in pairs.items()}
    space["__module__"] = __name__
    kind: Any = type(Entity)
    # Copied: a class is made of it once more in each test.
    return lambda: kind("Thing", (Entity,), dict(space), **words)


def part(**body: Any) -> Callable[[], object]:
    kind: Any = type(Part)
    space = {"__annotations__": body, "__module__": __name__}
    return lambda: kind("Piece", (Part,), space)


def event(body: Body, **words: Any) -> Callable[[], object]:
    kind: Any = type
    space = {"__annotations__": body, "__module__": __name__}
    return lambda: kind("Said", (Event,), space, **words)


def stray() -> None:
    class Thing(Entity):
        id: Field[str]
        name = field(default="x")


def thawed() -> None:
    class Cold(Entity, frozen=True):
        id: Field[str]

    class Thing(Cold):  # type: ignore[misc]  # on purpose
        name: Field[str]


def twice_upgraded() -> None:
    class Thing(Entity, schema=2):
        id: Field[str]

    @upgrade(Thing, to=2)
    def one(old: dict[str, Any]) -> dict[str, Any]:
        return old

    @upgrade(Thing, to=2)
    def two(old: dict[str, Any]) -> dict[str, Any]:
        return old


def upgraded_too_far() -> None:
    class Thing(Entity, schema=2):
        id: Field[str]

    upgrade(Thing, to=3)


def frozen_job() -> None:
    class Thing(Job, append_only=True):
        pass


GENERATED = (Field[str], field(default_factory=new_id))
WRONG: dict[str, tuple[Callable[[], object], str]] = {
    # keys
    "key unknown": (entity(key="sku"), "Thing.sku: key names a field that it does not have"),
    "key empty": (entity(key=()), "Thing: key=() names no field"),
    "key twice": (entity(key=("id", "id")), "Thing: key names a field twice"),
    "key of parts": (entity({"geo": Field[Geo]}, key="geo"), "Thing.geo: a key is a str, int or"),
    "key optional": (entity({"k": Field[str | None]}, key="k"), "Thing.k: a key is a str, int"),
    "key decimal": (entity({"k": Field[Decimal]}, key="k"), "Thing.k: a key is a str, int or UUID"),
    "key moment": (entity(key="at"), "Thing.at: a key is a str, int or UUID, not datetime"),
    "key no text": (entity(key=5), "Thing: key= takes names"),
    # fields
    "plain annotation": (entity({"price": Decimal}), "Thing.price: a plain annotation"),
    "version": (entity({"_version": Field[int]}), "Thing._version: names with a leading '_'"),
    "private": (entity({"_x": Field[int]}), "Thing._x: names with a leading '_'"),
    "mutable": (entity({"t": (Field[list[str]], field(default=[]))}), "Thing.t: a mutable default"),
    "mutable dict": (entity({"t": (Field[dict[str, Any]], {})}), "default_factory=dict"),
    "both": (
        entity({"t": (Field[int], field(default=1, default_factory=int))}),
        "Thing.t: give it default or default_factory",
    ),
    "factory": (
        entity({"t": (Field[int], field(default_factory=NUMBER))}),
        "Thing.t: default_f",
    ),
    "set": (entity({"t": Field[set[str]]}), "Thing.t: set[str] cannot be stored"),
    "bytes": (entity({"t": Field[bytes]}), "Thing.t: bytes cannot be stored"),
    "union": (entity({"t": Field[int | str]}), "Thing.t: a union of several types"),
    "literal": (entity({"t": Field[Literal["a", 1]]}), "Thing.t: a Literal must be all str"),
    "enum": (entity({"t": Field[Mixed]}), "Thing.t: the values of Mixed must be all str"),
    "dict key": (entity({"t": Field[dict[int, str]]}), "Thing.t: a dict must have str keys"),
    "tuple": (entity({"t": Field[tuple[int, str]]}), "Thing.t: a tuple must be of one type"),
    "optional part": (entity({"t": Field[Geo | None]}), "Thing.t: a Part that may be absent is M"),
    "maybe": (entity({"t": Maybe[Any]}), "Thing.t: Maybe is for a Part"),
    "entity inside": (entity({"t": Field[Job]}), "Thing.t: Job is no Part"),
    "event inside": (entity({"t": Field[Fact]}), "Thing.t: Fact is no Part"),
    "stray field": (stray, "Thing.name has no type"),
    "frozen mix": (thawed, "Thing: cannot inherit non-frozen"),
    "part set": (part(set=Field[str]), "Piece.set: every part has .exists() and .set()"),
    "part plain": (part(x=str), "Piece.x: a plain annotation"),
    "part kind": (part(x=Field[complex]), "Piece.x: complex cannot be stored"),
    # names in the store
    "stored twice": (entity({"t": (Field[str], field(stored_as="name"))}), "stored as 'name'"),
    "rename clash": (
        entity({"a_b": Field[str], "aB": Field[str]}, rename="camel"),
        "Thing: two fields are stored as 'aB'",
    ),
    "stored dot": (entity({"t": (Field[str], field(stored_as="a.b"))}), "Thing.t: stored_as='a.b'"),
    "stored _id": (entity({"t": (Field[str], field(stored_as="_id"))}), "Thing.t: stored_as='_id'"),
    "rename": (entity(rename="snake"), "Thing: rename='snake' is not known"),
    "name": (entity(name="a b"), "Thing: name='a b' is no name"),
    "name long": (entity(name="a" * 49), "48 at most"),
    "group": (entity(group="$g"), "Thing: group='$g' is no name"),
    # words
    "home": (entity(home="mysql"), "Thing: home='mysql' is no store of records; take one of p"),
    "word": (entity(hoem="postgres"), "Thing: hoem= is no word of a declaration"),
    "schema": (entity(schema=0), "Thing: schema=0 must be an int from 1 on"),
    "flag": (entity(log="no"), "Thing: log must be True or False"),
    "job append only": (frozen_job, "Thing: a job changes"),
    "cache and log": (entity(log=False, cache=Cache(1)), "Thing: cache follows the log"),
    "search and log": (entity(log=False, search=Search("name")), "Thing: search follows the log"),
    "append only": (
        entity(append_only=True, cache=Cache(1, write_through=True)),
        "Thing: append_only records never change",
    ),
    "wish type": (entity(cache=300), "Thing: cache= takes Cache(…)"),
    # indexes
    "index unknown": (entity(indexes=[Index("nme")]), "Thing.nme: Index names a field that it"),
    "index inside": (
        entity({"geo": Field[Geo]}, indexes=[Index("geo.nowhere")]),
        "Thing.geo.nowhere: Index names a field",
    ),
    "index in text": (entity(indexes=[Index("name.x")]), "Thing.name.x: Index names a field"),
    "index no field": (entity(indexes=[Index()]), "Thing: Index() names no field"),
    "index part": (
        entity({"geo": Field[Geo]}, indexes=[Index("geo")]),
        "Thing.geo: an Index needs",
    ),
    "index field twice": (entity(indexes=[Index("name", "-name")]), "names a field twice"),
    "index twice": (entity(indexes=[Index("at"), Index("at")]), "index on at is declared twice"),
    "index unique list": (
        entity({"t": Field[list[str]]}, indexes=[Index("t", unique=True)]),
        "Thing.t: a unique Index needs single values",
    ),
    "index text": (entity(indexes=[Index("at", text=True)]), "Thing.at: Index(text=True) is for"),
    "index text down": (entity(indexes=[Index("-name", text=True)]), "neither unique nor desc"),
    "indexes": (entity(indexes=Index("name")), "Thing: indexes= takes a list"),
    "index no Index": (entity(indexes=["name"]), "Thing: indexes takes Index(…) values"),
    "index where": (entity(indexes=[Index("at", where={"x": 1})]), "Thing.x: Index(where=…)"),
    "index where value": (
        entity(indexes=[Index("at", where={"name": 1})]),
        "Thing.name: Index(where=…) compares it with no str",
    ),
    # the other wishes
    "retain unknown": (
        entity({"id": GENERATED}, retain=Retain("made")),
        "Thing.made: Retain names",
    ),
    "retain kind": (entity({"id": GENERATED}, retain=Retain("name")), "Thing.name: Retain counts"),
    "retain age": (entity({"id": GENERATED}, retain=Retain("at", -DAY)), "Thing.at: Retain(age=…)"),
    "retain long": (entity({"id": GENERATED}, retain=Retain("at", 36_500 * DAY)), "0 to 68 years"),
    "retain key": (entity(retain=Retain("at", DAY)), "Thing.id: a record that expires"),
    "retain where": (
        entity({"id": GENERATED}, retain=Retain("at", where={"nme": 1})),
        "Thing.nme: Retain(where=…)",
    ),
    "cache ttl": (entity(cache=Cache(0)), "Thing: Cache(ttl=…) must be more than 0"),
    "cache near": (entity(cache=Cache(1, near=2)), "Thing: Cache(near=…) must be from 0 to ttl"),
    "cache key": (
        entity(cache=Cache(1, key="doc:{name}")),
        "Thing.name: Cache(key=…) may name key",
    ),
    "cache no key": (entity(cache=Cache(1, key="doc")), "Thing.id: Cache(key=…) lacks a field"),
    "search none": (entity(search=Search()), "Thing: Search() names no field"),
    "search unknown": (entity(search=Search("nme^3")), "Thing.nme: Search names a field"),
    "search kind": (entity(search=Search("at")), "Thing.at: Search is over text, not datetime"),
    "search weight": (entity(search=Search("name^x")), "Thing.name: a weight is a whole number"),
    "search facet": (
        entity({"geo": Field[Geo]}, search=Search("name", facets=["geo"])),
        "Thing.geo: a facet counts single values",
    ),
    "shard unknown": (entity(shard=["user"]), "Thing.user: shard names a field that it does"),
    "shard optional": (
        entity({"u": Field[str | None]}, shard=["u"]),
        "Thing.u: shard needs a value that is always there",
    ),
    "shard text": (entity(shard="name"), "Thing: shard= takes names of fields: write ['name']"),
    "subject": (entity(personal=Personal("user", ())), "Thing.user: Personal names a field"),
    "subject kind": (entity(personal=Personal("at", ())), "Thing.at: the subject is a key"),
    "personal unknown": (entity(personal=Personal("id", ("mail",))), "Thing.mail: Personal names"),
    "personal key": (entity(personal=Personal("name", ("id",))), "Thing.id: a key or the subject"),
    "lookup": (entity(personal=Personal("id", (), lookup=("name",))), "Thing.name: lookup takes"),
    "erase": (entity(personal=Personal("id", (), "wipe")), "Thing: erase='wipe'"),  # type: ignore[arg-type]  # on purpose
    "layout unknown": (entity(layout={"dynamodb": "P#{sku}"}), "Thing.sku: layout may name key"),
    "layout incomplete": (entity(layout={"dynamodb": "P#1 X"}), "Thing.id: layout lacks a field"),
    "layout words": (entity(layout={"dynamodb": "P {id} X"}), "Thing: layout has one or two words"),
    "layout store": (entity(layout={"mongodb": "{id}"}), "Thing: layout for 'mongodb' means "),
    "layout brace": (entity(layout={"dynamodb": "{id}}"}), "Thing: layout has a brace"),
    # upgrades and facts
    "two upgrades": (twice_upgraded, "Thing has two upgrades to 2: keep one"),
    "upgrade too far": (upgraded_too_far, "Thing: an upgrade to 3 fits no schema"),
    "event key": (event({"id": str}, name="x", key="user"), "Said.user: no such field"),
    "event name": (event({"id": str}, name="a b", key="id"), "Said: name='a b' is no name"),
    "event subject": (
        event({"id": str}, name="x", key="id", personal=Personal("user", ())),
        "Said.user: no such field",
    ),
    "event key kind": (event({"at": datetime}, name="x", key="at"), "Said.at: the key of an event"),
    "event type": (
        event({"id": str, "x": set[int]}, name="x", key="id"),
        "Said.x: set[int] cannot",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_declaration_is_refused_with_entity_field_and_remedy(case: str) -> None:
    declare, expected = WRONG[case]

    with pytest.raises(UsageError) as refused:
        declare()

    message = str(refused.value)
    assert expected in message
    assert "\n" not in message
    assert message.endswith(".")


def test_there_are_enough_wrong_declarations() -> None:
    assert len(WRONG) >= 40


def test_the_right_declaration_beside_them_is_taken() -> None:
    declare = entity(
        {"id": GENERATED, "geo": Maybe[Geo], "tags": Field[list[UUID]]},
        key="id",
        name="thing",
        home="mongodb",
        group="things",
        indexes=[
            Index("name", "-at"),
            Index("geo.country"),
            Index("tags"),
            Index("at", unique=True),
        ],
        retain=Retain("geo.seen_at", DAY, where={"name": "x"}),
        cache=Cache(300, near=2, key="thing:{id}"),
        search=Search("name^3", facets=["tags"]),
        shard=["name"],
        personal=Personal("id", ("name", "geo"), "pseudonymise", lookup=("name",)),
        rename="camel",
        layout={"dynamodb": "THING#{id} DATA"},
    )

    assert isinstance(declare(), type)
