"""Many puts by as few commands as the server takes; what one of them meets is looked at by itself.

It judges nothing: a put that the server refuses is done again alone, which says why.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo.errors import DuplicateKeyError

from rightstore.adapters.mongodb.codec import CODEC
from rightstore.adapters.mongodb.document import ID, Document, Layout
from rightstore.adapters.mongodb.step import creation_of, guarded
from rightstore.adapters.mongodb.writer import Writer
from rightstore.errors import StateError, StoreError
from rightstore.ports.records import Put

Outcome = int | StateError | StoreError
# A command is one document, of up to 16 MB.
MAX_BYTES = 12 * 1024 * 1024
MAX_PUTS = 5_000
AT_ONCE = 16
# What `guarded` fails with.
CONVERSION_FAILED = 241


Sized = list[tuple[Put, RawBSONDocument]]


class Bulk:
    """Puts of one entity: what must not exist by inserts, what has a version by updates."""

    def __init__(self, layout: Layout, writer: Writer) -> None:
        self._layout, self._writer = layout, writer
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def put(self, writes: Sequence[Put], moment: datetime) -> list[Outcome]:
        """Put each; return what became of each, in their order."""
        outcomes: dict[str, Outcome] = {}
        for batch in _batches(self._insertions(writes)):
            outcomes.update(await self._together(batch, {"insert": self._layout.name}, "documents"))
        for batch in _batches(self._updates(writes, moment)):
            outcomes.update(await self._together(batch, {"update": self._layout.name}, "updates"))
        # The new version of what was put over anything is known to its own command only.
        alone = [write for write in writes if write.key not in outcomes]
        found = await asyncio.gather(*(self._alone(write) for write in alone))
        outcomes.update(zip([write.key for write in alone], found, strict=True))
        return [outcomes[write.key] for write in writes]

    def _insertions(self, writes: Sequence[Put]) -> Iterator[tuple[Put, Document]]:
        for write in writes:
            document = creation_of(self._layout, write)
            if write.expect == 0 and document:
                yield write, document

    def _updates(self, writes: Sequence[Put], moment: datetime) -> Iterator[tuple[Put, Document]]:
        for write in writes:
            if write.expect not in ("any", 0):
                query = {ID: {"$eq": self._layout.id_of(write.key)}}
                update = guarded(self._layout, write, moment)
                yield write, {"q": query, "u": update, "upsert": True}

    async def _together(self, batch: Sized, command: Document, argument: str) -> dict[str, Outcome]:
        """Return the outcome of those that the server did not refuse."""
        whole = {**command, argument: [item for _, item in batch], "ordered": False}
        try:
            sent = await self._writer.sender.send(whole, "put_many")
        except DuplicateKeyError:
            return {}
        except (StateError, StoreError) as error:
            if getattr(error.__cause__, "code", None) == CONVERSION_FAILED:
                # This server stops at the first that it refuses: some were done, as each will tell.
                return {}
            return {write.key: error for write, _ in batch}
        refused = {error["index"] for error in sent.reply.get("writeErrors", ())}
        return {
            write.key: int(write.expect) + 1
            for place, (write, _) in enumerate(batch)
            if place not in refused
        }

    async def _alone(self, write: Put) -> Outcome:
        async with self._gate:
            try:
                return (await self._writer.write(self._layout, write)).version
            except (StateError, StoreError) as error:
                return error


def _batches(items: Iterable[tuple[Put, Document]]) -> Iterator[Sized]:
    """Yield them as they fit into one command each."""
    batch: Sized = []
    size = 0
    for write, item in items:
        encoded = RawBSONDocument(encode(item, codec_options=CODEC))
        if batch and (size + len(encoded.raw) > MAX_BYTES or len(batch) == MAX_PUTS):
            yield batch
            batch, size = [], 0
        batch.append((write, encoded))
        size += len(encoded.raw)
    if batch:
        yield batch
