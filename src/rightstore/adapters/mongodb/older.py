"""Port `upgrade` on MongoDB: look through a collection by its key, so many documents at a time."""

from pymongo import ASCENDING

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.codec import CODEC
from rightstore.adapters.mongodb.document import DELETED, ID, SCHEMA, Document, Layout
from rightstore.adapters.mongodb.errors import translated
from rightstore.adapters.mongodb.filter import Filter, all_of, filter_of
from rightstore.clock import Clock
from rightstore.model.declaration import Declaration
from rightstore.model.query import alive
from rightstore.ports.upgrade import Older

# Documents looked at in one call, of which only key and schema travel.
WINDOW = 2_000


class MongodbOlder:
    """What is left of older schemas in the collections of one application's entities."""

    def __init__(
        self, connection: MongodbConnection, namespace: str, clock: Clock, *, window: int = WINDOW
    ) -> None:
        self._connection, self._namespace, self._clock = connection, namespace, clock
        self._window = window

    async def older(self, declaration: Declaration, limit: int, after: str | None = None) -> Older:
        """Return records of an older schema, in the order of their keys."""
        layout = Layout(declaration)
        at = self._connection.target.address
        with translated("older", at=at, outcome="not applied"):
            database = self._connection.client.get_database(self._namespace, codec_options=CODEC)
            behind: Filter = {} if after is None else {ID: {"$gt": layout.id_of(after)}}
            looked = (
                await database[layout.name]
                .find(behind, {ID: 1, SCHEMA: 1, DELETED: 1})
                .sort(ID, ASCENDING)
                .limit(self._window)
                .to_list()
            )
            old = [one[ID] for one in looked if _is_older(one, declaration.schema)]
            found = await database[layout.name].find(self._these(layout, old[:limit])).to_list()
        documents = sorted((layout.stored(one) for one in found), key=lambda each: each.key)
        return Older(documents, self._next(layout, looked, old, limit))

    def _these(self, layout: Layout, identities: list[object]) -> Filter:
        """Return the filter of these documents, as far as they are still older and alive."""
        declared = layout.declaration
        unexpired = alive(declared, self._clock.now())
        filters: list[Filter] = [
            {ID: {"$in": identities}},
            {SCHEMA: {"$lt": declared.schema}, DELETED: {"$ne": True}},
        ]
        return all_of(filters if unexpired is None else [*filters, filter_of(layout, unexpired)])

    def _next(
        self, layout: Layout, looked: list[Document], old: list[object], limit: int
    ) -> str | None:
        if len(old) > limit:
            return layout.key_of(old[limit - 1])
        return layout.key_of(looked[-1][ID]) if len(looked) == self._window else None


def _is_older(document: Document, schema: int) -> bool:
    return not document.get(DELETED) and document.get(SCHEMA, schema) < schema
