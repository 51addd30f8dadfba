"""Every wish of an entity or a table does something, or is refused at start with its name.

It cannot catch a wish that is kept badly: the contracts of the stores do.
"""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from types import ModuleType

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore.errors import UnsupportedError
from rightstore.model.declaration import Declaration
from rightstore.model.entity import Entity
from rightstore.model.event import Event
from rightstore.model.field import Field, field
from rightstore.model.wish import Cache, Personal, Search
from rightstore.settings import Settings
from rightstore.stores.definition import Rightstore
from rightstore.stores.stores import Stores
from rightstore.stores.wish import UNBUILT
from rightstore.table.track import TrackedTable, track
from rightstore.table.versioned import Versioned

# What something is built for. A new word belongs here, or is refused: a test says so.
BUILT = {
    "entity", "name", "key", "home", "group", "append_only", "indexes", "retain", "rename",
    "schema", "layout", "frozen",
}  # fmt: skip
# Without a log there is nothing to leave out of it.
NOTHING_YET = {"log"}
BUILT_OF_TABLES = {"model", "name", "append_only", "retain"}


class Base(DeclarativeBase): ...


class User(Versioned, Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)


class Cached(Entity, cache=Cache(ttl=60)):
    id: Field[str]


class Searched(Entity, search=Search("name")):
    id: Field[str]
    name: Field[str]


class Owned(Entity, personal=Personal("user_id", ())):
    id: Field[str]
    user_id: Field[str]


class Sharded(Entity, shard=["user_id"]):
    id: Field[str]
    user_id: Field[str]


class Plain(Entity):
    id: Field[str]
    count: Field[int] = field(default=0)


class Said(Event, name="said", key="id"):
    id: str


users = track(User, personal=Personal("id", ()))


def app(**things: object) -> Rightstore:
    module = ModuleType("domain")
    vars(module).update(things)
    return Rightstore("shop", module)


def test_every_word_of_a_declaration_is_built_or_refused() -> None:
    words = {each.name for each in fields(Declaration)}
    of_tables = {each.name for each in fields(TrackedTable)}

    assert words == BUILT | NOTHING_YET | UNBUILT.keys()
    assert of_tables - BUILT_OF_TABLES <= UNBUILT.keys()


@pytest.mark.parametrize(
    ("declared", "refusal"),
    [
        (Cached, r"Cached wishes Cache\(…\)"),
        (Searched, r"Searched wishes Search\(…\)"),
        (Owned, r"Owned wishes Personal\(…\)"),
        (Sharded, r"Sharded wishes shard="),
        (users, r"users wishes Personal\(…\)"),
    ],
    ids=["cache", "search", "personal", "shard", "track-personal"],
)
async def test_a_wish_that_is_not_built_is_refused_at_start(declared: object, refusal: str) -> None:
    with pytest.raises(UnsupportedError, match=refusal):
        async with app(declared=declared).open(Settings.memory()):
            pass


async def test_all_of_them_are_named_at_once() -> None:
    with pytest.raises(UnsupportedError, match=r"Cached .*; Owned .*; users "):
        async with app(a=Cached, b=Owned, c=users).open(Settings.memory()):
            pass


FACT = Said(id="a")


async def put(stores: Stores) -> None:
    await stores.of(Plain).put(Plain(id="b"), emit=FACT)


async def change(stores: Stores) -> None:
    await stores.of(Plain).change("a", Plain.count.add(1), emit=[FACT])


async def delete(stores: Stores) -> None:
    await stores.of(Plain).delete("a", emit=FACT)


async def put_in_a_transaction(stores: Stores) -> None:
    async with stores.transaction() as tx:
        await tx.of(Plain).put(Plain(id="b"), emit=FACT)


async def change_in_a_transaction(stores: Stores) -> None:
    async with stores.transaction() as tx:
        await tx.of(Plain).change("a", Plain.count.add(1), emit=FACT)


async def delete_in_a_transaction(stores: Stores) -> None:
    async with stores.transaction() as tx:
        await tx.of(Plain).delete("a", emit=FACT)


@pytest.mark.parametrize(
    "write",
    [
        put,
        change,
        delete,
        put_in_a_transaction,
        change_in_a_transaction,
        delete_in_a_transaction,
    ],
)
async def test_facts_are_refused_and_nothing_is_written(
    write: Callable[[Stores], Awaitable[None]],
) -> None:
    async with app(Plain=Plain).open(Settings.memory()) as stores:
        await stores.of(Plain).put(Plain(id="a"))

        with pytest.raises(UnsupportedError, match="emit= is not supported yet"):
            await write(stores)

        assert await stores.of(Plain).find().all() == [Plain(id="a")]


async def test_work_in_memory_has_nothing_to_do() -> None:
    async with app(Plain=Plain).open(Settings.memory(), work=True) as stores:
        assert await stores.of(Plain).get("a") is None
