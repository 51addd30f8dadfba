"""MongoDB, and what speaks its protocol, as a store of records: the port `RecordStore`."""

from typing import Any

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.document import Layout
from rightstore.adapters.mongodb.portability import CAPABILITIES
from rightstore.adapters.mongodb.records import MongodbRecords
from rightstore.adapters.mongodb.sender import Sender
from rightstore.adapters.mongodb.transaction import Transaction
from rightstore.adapters.mongodb.writer import Writer
from rightstore.clock import Clock
from rightstore.errors import UnsupportedError
from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.portability import missing
from rightstore.ports.records import Batch, Queries, Records, Seen, judge_batch, judge_version


class MongodbStore:
    """The records of one namespace: a database of that name. `clock` tells what has expired.

    `capabilities` are those of the running server (`probe`); without `transaction` it
    is no replica set, and a lost reply to a write stays "unknown".
    """

    def __init__(
        self,
        connection: MongodbConnection,
        namespace: str,
        clock: Clock,
        *,
        capabilities: frozenset[Capability] = CAPABILITIES,
    ) -> None:
        self._connection, self._namespace, self._clock = connection, namespace, clock
        self._capabilities = capabilities
        is_replicated = "transaction" in capabilities
        sender = Sender(connection, namespace, clock, is_numbered=is_replicated)
        self._writer = Writer(connection, namespace, clock, sender)
        self._transaction = Transaction(connection, namespace, clock)
        self._layouts: dict[type[Any], Layout] = {}
        self._made: dict[type[Any], MongodbRecords] = {}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do beyond keys and declared indexes."""
        return self._capabilities

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity by key; no I/O."""
        return self._records(declaration)

    def queries(self, declaration: Declaration) -> Queries:
        """Return the records of an entity by what is in them; no I/O."""
        return self._records(declaration)

    async def write(self, batch: Batch) -> list[int]:
        """Do all of it or nothing, in one step; return the versions."""
        judge_batch(batch)
        writes = [(self._layout(declaration), write) for declaration, write in batch]
        if not writes:
            return []
        if len(writes) > 1:
            if "transaction" not in self._capabilities:
                raise UnsupportedError(
                    "This MongoDB server is no replica set, so it writes one record at a time: "
                    "start it with --replSet (one member is enough)."
                )
            return await self._transaction.write(writes)
        [(layout, write)] = writes
        if isinstance(write, Seen):
            found = await self._records(layout.declaration).get(write.key)
            judge_version(layout.declaration, write, found.version if found else 0)
            return [write.version]
        return [(await self._writer.write(layout, write)).version]

    def _records(self, declaration: Declaration) -> MongodbRecords:
        found = self._made.get(declaration.entity)
        if found is None:
            found = self._made[declaration.entity] = MongodbRecords(
                self._layout(declaration),
                connection=self._connection,
                namespace=self._namespace,
                clock=self._clock,
                writer=self._writer,
            )
        return found

    def _layout(self, declaration: Declaration) -> Layout:
        found = self._layouts.get(declaration.entity)
        if found is None:
            for obstacle in missing(declaration, self._capabilities):
                raise UnsupportedError(
                    f"{declaration.name}: mongodb cannot hold it: {obstacle.subject}: "
                    f"{obstacle.reason}: {obstacle.remedy}."
                )
            found = self._layouts[declaration.entity] = Layout(declaration)
        return found
