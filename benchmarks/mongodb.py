"""MongoDB by hand: PyMongo's async client, documents converted to the dataclass by msgspec.

Filters and updates of get, get many, put, find and bulk are those of the library.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
from bson import Decimal128
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, TypeCodec, TypeRegistry
from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from benchmarks.workload import Plain


class _Decimals(TypeCodec):
    """The way of PyMongo's documentation to keep Decimals."""

    python_type = Decimal
    bson_type = Decimal128

    def transform_python(self, value: Any) -> Any:
        return Decimal128(value)

    def transform_bson(self, value: Any) -> Any:
        return value.to_decimal()


CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    tzinfo=UTC,
    uuid_representation=UuidRepresentation.STANDARD,
    type_registry=TypeRegistry([_Decimals()]),
)


BATCH = 100_000
FIELDS = [name for name in Plain.__dataclass_fields__ if name != "id"]
VERSION = {"$ifNull": ["$_v", 0]}
IS_THERE = {"$and": [{"$gt": [VERSION, 0]}, {"$ne": [{"$ifNull": ["$_deleted", False]}, True]}]}


class MongodbByHand:
    """Implements `ByHand`."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._collection = collection

    async def get(self, key: str) -> Plain:
        """Read one record."""
        found = await self._collection.find_one({"_id": {"$eq": key}})
        return _plain(found or {})

    async def get_many(self, keys: Sequence[str]) -> list[Plain | None]:
        """Read many, in the order asked."""
        asked = self._collection.find({"_id": {"$in": keys}}, batch_size=BATCH)
        found = {document["_id"]: _plain(document) for document in await asked.to_list()}
        return [found.get(key) for key in keys]

    async def put(self, record: Plain, version: int) -> int:
        """Store a record if the one there has this version."""
        write_id = str(uuid4())
        tests = [{"$ne": ["$_w", {"$literal": write_id}]}, IS_THERE, {"$eq": ["$_v", version]}]
        new = {"$cond": [{"$and": tests}, _whole(record, write_id), "$$ROOT"]}
        done: Any = await self._collection.find_one_and_update(
            {"_id": {"$eq": record.id}},
            [{"$replaceWith": new}],
            projection={"_v": 1, "_w": 1, "_deleted": 1},
            return_document=ReturnDocument.AFTER,
        )
        found: int = done["_v"] if done["_w"] == write_id else 0
        return found

    async def change(self, key: str, amount: int) -> Plain:
        """Add to a number of what is there."""
        more = {"in_stock": {"$add": ["$in_stock", amount]}, **_marks(str(uuid4()))}
        test = {"$and": [IS_THERE, {"$gte": ["$in_stock", 0]}]}
        new = {"$cond": [test, {"$mergeObjects": ["$$ROOT", more]}, "$$ROOT"]}
        # By its key alone: with more in the filter, the embedded server reads all documents.
        found: Any = await self._collection.find_one_and_update(
            {"_id": {"$eq": key}},
            [{"$replaceWith": new}],
            return_document=ReturnDocument.AFTER,
        )
        return _plain(found)

    async def find(self, category: str, limit: int) -> list[Plain]:
        """Find the cheapest of a category."""
        where = {"$and": [{"category": {"$eq": category}}, {"_deleted": {"$ne": True}}]}
        order = [("price", 1), ("_id", 1)]
        found = self._collection.find(where, sort=order, limit=limit, batch_size=BATCH)
        return [_plain(document) for document in await found.to_list()]

    async def bulk(self, records: Sequence[Plain]) -> int:
        """Store many new records."""
        documents = [
            {"_id": record.id, **_fields(record), "_v": 1, "_w": str(uuid4()), "_s": 1}
            for record in records
        ]
        return len((await self._collection.insert_many(documents, ordered=False)).inserted_ids)


def _whole(record: Plain, write_id: str) -> dict[str, Any]:
    """Return the expression of the whole document after a write."""
    fields = {"$literal": _fields(record)}
    return {"$mergeObjects": [{"_id": "$_id"}, fields, _marks(write_id)]}


def _marks(write_id: str) -> dict[str, Any]:
    return {"_v": {"$add": [VERSION, 1]}, "_w": {"$literal": write_id}, "_s": 1}


def _fields(record: Plain) -> dict[str, Any]:
    return {name: getattr(record, name) for name in FIELDS}


def _plain(document: dict[str, Any]) -> Plain:
    document["id"] = document.pop("_id")
    return msgspec.convert(document, Plain)


@asynccontextmanager
async def by_hand(url: str, namespace: str) -> AsyncIterator[MongodbByHand]:
    """Open the driver's own client for the block."""
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        database = client.get_database(namespace, codec_options=CODEC)
        yield MongodbByHand(
            database.get_collection(
                "Item",
                read_concern=ReadConcern("majority"),
                write_concern=WriteConcern("majority", j=True),
            )
        )
