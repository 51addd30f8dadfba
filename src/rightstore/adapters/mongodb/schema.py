"""The port `Schema` on MongoDB: collections with their validator, and indexes. It moves no records.

Indexes are built while others write; the server waits for no lock that a running command holds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, OperationFailure

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.document import (
    DELETED,
    ID,
    SCHEMA,
    VERSION,
    WRITE_ID,
    Document,
    Layout,
)
from rightstore.adapters.mongodb.errors import translated
from rightstore.adapters.mongodb.index import EXPIRY, PREFIX, UNIQUE, Wanted, indexes_of
from rightstore.errors import ConstraintError
from rightstore.model.declaration import Declaration
from rightstore.ports.schema import Phase, Step

# How long one index may take to build.
BUILD_TIME = 3600.0
TITLE = "A record of Rightstore"
VALIDATOR: Document = {
    "$jsonSchema": {
        "title": TITLE,
        "bsonType": "object",
        "required": [ID, VERSION, WRITE_ID, SCHEMA],
        "properties": {
            VERSION: {"bsonType": ["int", "long"], "minimum": 0},
            WRITE_ID: {"bsonType": "string"},
            SCHEMA: {"bsonType": ["int", "long"]},
            DELETED: {"bsonType": "bool"},
        },
    }
}
# IndexNotFound and NamespaceNotFound: gone is gone.
_GONE = frozenset({26, 27})
_EXISTS = 48


@dataclass(frozen=True, slots=True)
class Order:
    """What a step does: the name of a command, and its collection and arguments."""

    action: str
    collection: str
    arguments: Document = field(default_factory=dict, hash=False)


class MongodbSchema:
    """The structure of one namespace: the database of that name."""

    def __init__(self, connection: MongodbConnection, namespace: str) -> None:
        self._connection, self._namespace = connection, namespace

    async def plan(self, declarations: Sequence[Declaration]) -> list[Step]:
        """Compare what is there with these entities; return what is to be done, in its order."""
        wanted: dict[str, dict[str, Wanted]] = {}
        for declaration in declarations:
            indexes = {index.name: index for index in indexes_of(Layout(declaration))}
            wanted.setdefault(declaration.name, {}).update(indexes)
        with self._translated("plan"):
            cursor = await self._database().list_collections()
            there = {found["name"]: dict(found) async for found in cursor}
            indexed = {name: await self._indexes(name) for name in wanted if name in there}
        steps = [*_collections(wanted, there)]
        for name, indexes in wanted.items():
            steps += _indexes(name, indexes, indexed.get(name, {}))
        return [*steps, *_dropped(wanted, there)]

    async def apply(self, step: Step) -> None:
        """Do one step of a plan; doing it again, or doing it in two processes, does no harm."""
        order: Order = step.order
        with self._translated("apply"), pymongo.timeout(BUILD_TIME):
            try:
                await _ACTIONS[order.action](self._database(), order)
            except DuplicateKeyError as error:
                raise ConstraintError(
                    f"{step.subject}: records that are there have the same values: change or "
                    "delete them first."
                ) from error
            except OperationFailure as error:
                if error.code not in _GONE:
                    raise

    async def _indexes(self, name: str) -> dict[str, Document]:
        cursor = await self._database()[name].list_indexes()
        return {found["name"]: dict(found) async for found in cursor}

    def _database(self) -> AsyncDatabase[Document]:
        return self._connection.client.get_database(
            self._namespace, write_concern=pymongo.WriteConcern("majority", j=True)
        )

    def _translated(self, operation: str) -> Any:
        return translated(operation, at=self._connection.target.address)


def _step(
    subject: str,
    action: str,
    order: Order,
    *,
    destructive: bool = False,
    phase: Phase = "expand",
) -> Step:
    return Step("mongodb", subject, action, destructive, order, phase)


def _collections(wanted: Mapping[str, object], there: Mapping[str, Document]) -> Iterator[Step]:
    for name in wanted:
        if name not in there:
            yield _step(name, "create the collection", Order("create", name))
        elif there[name].get("options", {}).get("validator") != VALIDATOR:
            yield _step(name, "set the validator of the collection", Order("validate", name))


def _indexes(
    name: str, wanted: Mapping[str, Wanted], there: Mapping[str, Document]
) -> Iterator[Step]:
    # First away with what is not declared: two indexes of the same fields may not go together.
    for old in there:
        if old.startswith(PREFIX) and old not in wanted:
            order = Order("drop_index", name, {"name": old})
            promised = old.startswith((UNIQUE, EXPIRY))
            subject = f"{name}.{old}"
            yield _step(subject, "drop the index", order, destructive=promised, phase="contract")
    going = [dict(there[old].get("key", {})) for old in there if old not in wanted]
    for new, index in wanted.items():
        if new not in there:
            order = Order("create_index", name, index.document)
            action = f"create the index on {dict(index.keys)}"
            waits = dict(index.keys) in going
            phase: Phase = "contract" if waits else "expand"
            yield _step(f"{name}.{new}", action, order, phase=phase)


def _dropped(wanted: Mapping[str, object], there: Mapping[str, Document]) -> Iterator[Step]:
    for name, found in there.items():
        schema = found.get("options", {}).get("validator", {}).get("$jsonSchema", {})
        if name not in wanted and schema.get("title") == TITLE:
            order = Order("drop", name)
            action = "drop the collection and its records"
            yield _step(name, action, order, destructive=True, phase="contract")


async def _create(database: AsyncDatabase[Document], order: Order) -> None:
    try:
        await database.command({"create": order.collection, "validator": VALIDATOR})
    except OperationFailure as error:
        if error.code != _EXISTS:
            raise


async def _validate(database: AsyncDatabase[Document], order: Order) -> None:
    await database.command({"collMod": order.collection, "validator": VALIDATOR})


async def _create_index(database: AsyncDatabase[Document], order: Order) -> None:
    await database.command({"createIndexes": order.collection, "indexes": [order.arguments]})


async def _drop_index(database: AsyncDatabase[Document], order: Order) -> None:
    await database.command({"dropIndexes": order.collection, "index": order.arguments["name"]})


async def _drop(database: AsyncDatabase[Document], order: Order) -> None:
    await database.command({"drop": order.collection})


_ACTIONS: Mapping[str, Callable[[AsyncDatabase[Document], Order], Any]] = {
    "create": _create,
    "validate": _validate,
    "create_index": _create_index,
    "drop_index": _drop_index,
    "drop": _drop,
}
