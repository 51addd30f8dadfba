"""The ports `Records` and `Queries` of one entity. How a write is done: `writer`, `bulk`."""

from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from rightstore.adapters.mongodb.bulk import Bulk
from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.codec import CODEC, MARK, RAW
from rightstore.adapters.mongodb.document import DELETED, ID, Document, Layout
from rightstore.adapters.mongodb.errors import is_passing, translated
from rightstore.adapters.mongodb.filter import Filter, after, all_of, filter_of
from rightstore.adapters.mongodb.group import pipeline_of, rows_from
from rightstore.adapters.mongodb.writer import Writer
from rightstore.clock import Clock
from rightstore.errors import StateError, StoreError
from rightstore.model.condition import Condition, Expr
from rightstore.model.evaluate import position
from rightstore.model.group import Row, is_grouped, rows_of
from rightstore.model.query import alive
from rightstore.model.record import copied
from rightstore.ports.records import Change, Delete, Find, Put, Stored, judge_batch

# The server sends what fits 16 MB at once, so that a find is one round trip.
BATCH = 100_000
_AT_ONCE: Document = {"singleBatch": True, "readConcern": {"level": "majority"}}
_NOT_DELETED: Filter = {DELETED: {"$ne": True}}


@dataclass(slots=True)
class _Found:
    """Documents of an answer, and whether the mark of a key may be in one of them."""

    documents: list[Document]
    is_marked: bool = False


class MongodbRecords:
    """The records of one entity, by key and by what is in them."""

    def __init__(
        self,
        layout: Layout,
        *,
        connection: MongodbConnection,
        namespace: str,
        clock: Clock,
        writer: Writer,
    ) -> None:
        self._layout, self._connection, self._namespace = layout, connection, namespace
        self._clock, self._writer = clock, writer
        self._found: AsyncCollection[Document] | None = None

    async def get(self, key: str) -> Stored | None:
        """Return the record; None when it is absent."""
        where = self._with_unexpired({ID: {"$eq": self._layout.id_of(key)}})
        with self._reading("get"):
            raw = await self._first(where)
        document = self._layout.opened(raw)
        return self._stored(document, is_marked=raw is not None and MARK in bytes(raw.raw))

    async def get_many(self, keys: Sequence[str]) -> list[Stored | None]:
        """Return a record or None for each key, in the order asked."""
        if not keys:
            return []
        wanted = [self._layout.id_of(key) for key in keys]
        where = self._with_unexpired({ID: {"$in": list(dict.fromkeys(wanted))}})
        with self._reading("get_many"):
            found = await self._fetch(where)
        by_id: Mapping[Any, Document] = {document[ID]: document for document in found.documents}
        if len(set(wanted)) < len(wanted):
            # Each answer takes its document over.
            return [self._stored(copied(by_id.get(it)), is_marked=found.is_marked) for it in wanted]
        return [self._stored(by_id.get(it), is_marked=found.is_marked) for it in wanted]

    async def put(self, write: Put) -> int:
        """Store the record; return its new version."""
        return (await self._writer.write(self._layout, write)).version

    async def put_many(self, writes: Sequence[Put]) -> list[int | StateError | StoreError]:
        """Put each; return what became of each."""
        judge_batch([(self._layout.declaration, write) for write in writes])
        return await Bulk(self._layout, self._writer).put(writes, self._clock.now())

    async def change(self, write: Change) -> Stored:
        """Apply the edits to what is there now; return the record as it is then."""
        done = await self._writer.write(self._layout, write)
        return self._layout.stored(done.document or {})

    async def delete(self, write: Delete) -> int:
        """Leave a tombstone; return its version, or 0."""
        return (await self._writer.write(self._layout, write)).version

    async def find(self, what: Find) -> list[Stored]:
        """Return the records that meet the query, in order."""
        found = await self._found_by(what)
        return [
            self._layout.stored(document, is_marked=found.is_marked) for document in found.documents
        ]

    async def count(self, where: Condition | None = None) -> int:
        """Return how many records meet the condition."""
        pipeline: list[Document] = [{"$match": self._filter(Find(where))}, {"$count": "n"}]
        with self._reading("count"):
            found = await (await self._collection().aggregate(pipeline)).to_list()
        return int(found[0]["n"]) if found else 0

    async def select(self, what: Find, columns: Sequence[Expr[Any]]) -> list[Row]:
        """Return the rows of what `find` would return."""
        if not is_grouped(columns):
            found = await self._found_by(what)
            return rows_of([self._layout.data(each) for each in found.documents], columns)
        start: list[Document] = [{"$match": self._filter(what)}]
        if what.limit is not None:
            start += [{"$sort": self._sort(what)}, {"$limit": what.limit}]
        pipeline = [*start, *pipeline_of(self._layout, columns)]
        with self._reading("select"):
            groups = await (await self._collection().aggregate(pipeline, batchSize=BATCH)).to_list()
        return rows_from(groups, columns)

    async def _found_by(self, what: Find) -> _Found:
        if what.limit == 0:
            return _Found([])
        # A record that moves in the order while the server walks along it may come twice.
        once: dict[Any, Document] = {}
        asked, is_marked = what, False
        while True:
            with self._reading("find"):
                found = await self._fetch(
                    self._filter(asked),
                    sort=list(self._sort(asked).items()) or None,
                    limit=asked.limit or 0,
                )
            is_marked = is_marked or found.is_marked
            for document in found.documents:
                once.setdefault(document[ID], document)
            further = self._further(what, asked, found.documents, have=len(once))
            if further is None:
                return _Found(list(once.values()), is_marked)
            asked = further

    def _further(self, what: Find, asked: Find, found: list[Document], *, have: int) -> Find | None:
        """Return how to go on for what double ones took the place of; None when nothing lacks."""
        lacks = (what.limit or 0) - have
        if lacks <= 0 or len(found) < (asked.limit or 0) or not what.orders:
            return None
        last = position(self._layout.data(copied(found[-1])), what.orders)
        return replace(what, limit=lacks, after=last)

    async def _first(self, where: Filter) -> RawBSONDocument | None:
        """Find one document by a plain command: a cursor of the driver costs a third more."""
        command = {"find": self._layout.name, "filter": where, "limit": 1, **_AT_ONCE}
        database = self._connection.client.get_database(self._namespace)
        try:
            reply = await database.command(command, codec_options=RAW)
        except PyMongoError as error:
            if not is_passing(error):
                raise
            # As the driver does by itself with reads that are no plain commands.
            reply = await database.command(command, codec_options=RAW)
        found: list[RawBSONDocument] = reply["cursor"]["firstBatch"]
        return found[0] if found else None

    async def _fetch(self, where: Filter, **options: Any) -> _Found:
        """Find documents; they are decoded all at once, which is several times faster."""
        cursor: AsyncIterable[Any] = self._collection().find_raw_batches(
            where, batch_size=BATCH, **options
        )
        found = _Found([])
        async for batch in cursor:
            found.documents += self._layout.documents(batch)
            found.is_marked = found.is_marked or MARK in batch
        return found

    def _stored(self, document: Document | None, *, is_marked: bool) -> Stored | None:
        if document is None or DELETED in document:
            return None
        return self._layout.stored(document, is_marked=is_marked)

    def _filter(self, what: Find) -> Filter:
        layout = self._layout
        where = filter_of(layout, what.where) if what.where is not None else {}
        later = after(layout, what.orders, what.after) if what.after is not None else {}
        return self._with_unexpired(all_of([where, later, _NOT_DELETED]))

    def _with_unexpired(self, where: Filter) -> Filter:
        unexpired = alive(self._layout.declaration, self._clock.now())
        if unexpired is None:
            return where
        return all_of([where, filter_of(self._layout, unexpired)])

    def _sort(self, what: Find) -> dict[str, int]:
        return {
            ".".join(self._layout.path(order.place)): DESCENDING if order.descending else ASCENDING
            for order in what.orders
        }

    def _collection(self) -> AsyncCollection[Document]:
        client = self._connection.client
        if self._found is None or self._found.database.client is not client:
            self._found = client.get_database(self._namespace).get_collection(
                self._layout.name,
                codec_options=CODEC,
                read_preference=ReadPreference.PRIMARY,
                read_concern=ReadConcern("majority"),
            )
        return self._found

    def _reading(self, operation: str) -> Any:
        return translated(operation, at=self._connection.target.address, outcome="not applied")
