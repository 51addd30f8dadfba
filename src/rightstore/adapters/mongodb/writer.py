"""Single writes: each by one command, each with an outcome that holds. Reads are in `records`."""

from collections.abc import Mapping
from typing import Any

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.codec import CODEC
from rightstore.adapters.mongodb.document import ID, VERSION, Document, Layout
from rightstore.adapters.mongodb.errors import translated
from rightstore.adapters.mongodb.perform import Done, Runner, perform
from rightstore.adapters.mongodb.sender import Sender, Sent
from rightstore.adapters.mongodb.verdict import is_done
from rightstore.clock import Clock
from rightstore.errors import DeadlineError
from rightstore.ports.records import Seen, Write, judge_write


class Writer:
    """Does single writes in one namespace."""

    def __init__(
        self, connection: MongodbConnection, namespace: str, clock: Clock, sender: Sender
    ) -> None:
        self._connection, self._namespace = connection, namespace
        self.sender = sender
        self._runner = Runner(clock.now, self._update, self._insert, is_alone=True)

    async def write(self, layout: Layout, write: Write) -> Done:
        """Do a write, or raise why it was refused or that it failed."""
        judge_write(layout.declaration, write)
        return await perform(layout, write, self._runner)

    async def _insert(self, layout: Layout, document: Document) -> list[Mapping[str, Any]]:
        command = {"insert": layout.name, "documents": [document]}
        sent = await self.sender.send(command, "write")
        return list(sent.reply.get("writeErrors", ()))

    async def _update(self, layout: Layout, write: Write, command: Document) -> Document | None:
        sent = await self.sender.send(command, "write")
        document: Document | None = layout.opened(sent.reply["value"])
        if not sent.again or isinstance(write, Seen) or is_done(write, document):
            return document
        if write.expect not in ("any", 0):
            # It was refused for its version, which never comes again: no late copy is done either.
            return document
        return await self._confirmed(layout, write, sent, document)

    async def _confirmed(
        self, layout: Layout, write: Write, sent: Sent, refused: Document | None
    ) -> Document | None:
        """Return what a write that was refused at its second arrival was refused for, or left.

        Its first copy may still have been on its way: none is after the fence.
        """
        await self.sender.fence(sent, layout.name)
        address = self._connection.target.address
        with translated("write", at=address):
            database = self._connection.client.get_database(self._namespace, codec_options=CODEC)
            found = await database[layout.name].find_one({ID: {"$eq": layout.id_of(write.key)}})
        if is_done(write, found):
            return found
        if (found or {}).get(VERSION) == (refused or {}).get(VERSION):
            return refused
        raise DeadlineError(
            f"mongodb at {address} gave no answer to a write of {layout.name}, and others have "
            "written the record since: read it to see",
            store="mongodb",
            operation="write",
            outcome="unknown",
        )
