"""Port `RecordStore` on PostgreSQL: made without I/O; its tables are made by `schema`."""

from typing import Any

from rightstore.adapters.postgres.client import PostgresConnection
from rightstore.adapters.postgres.executor import PoolExecutor
from rightstore.adapters.postgres.identifier import namespace_of
from rightstore.adapters.postgres.joint import write_jointly
from rightstore.adapters.postgres.portability import CAPABILITIES, refuse
from rightstore.adapters.postgres.records import PostgresRecords
from rightstore.adapters.postgres.removal import remove_expired
from rightstore.adapters.postgres.table import Table
from rightstore.clock import SYSTEM, Clock
from rightstore.errors import UnsupportedError
from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.records import Batch, Queries, Records, judge_batch

# What one statement holds: planning a larger one takes longer than it saves.
MOST = 100


class PostgresStore:
    """The records of one application. What expires does so by the server's clock.

    A clock that is not the system's, as tests have, is asked instead.
    """

    def __init__(
        self, connection: PostgresConnection, namespace: str, clock: Clock = SYSTEM
    ) -> None:
        namespace_of(namespace)
        self._namespace, self._clock = namespace, clock
        self._executor = PoolExecutor(connection)
        self._records: dict[type[Any], PostgresRecords] = {}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """It can do everything."""
        return CAPABILITIES

    def records(self, declaration: Declaration) -> Records:
        """Return the records of an entity by key."""
        return self._of(declaration)

    def queries(self, declaration: Declaration) -> Queries:
        """Return the records of an entity by what is in them."""
        return self._of(declaration)

    async def write(self, batch: Batch) -> list[int]:
        """Do all of it or nothing, in one statement."""
        judge_batch(batch)
        if not batch:
            return []
        if len(batch) > MOST:
            raise UnsupportedError(
                f"postgres writes up to {MOST} records together, not {len(batch)}: use put_many, "
                "which is not one transaction, or smaller ones."
            )
        items = [(self._of(declaration).table, write) for declaration, write in batch]
        rows = await write_jointly(self._executor, items)
        return [
            _version(write, row["version"]) for (_, write), row in zip(batch, rows, strict=True)
        ]

    async def remove_expired(self, declaration: Declaration, limit: int) -> int:
        """Remove up to so many records that have expired; return how many were removed.

        Less than the limit: there are no more now. Several processes at once do not wait for each
        other. UsageError for an entity whose records do not expire.
        """
        return await remove_expired(self._executor, self._of(declaration).table, limit)

    def _of(self, declaration: Declaration) -> PostgresRecords:
        found = self._records.get(declaration.entity)
        if found is None:
            refuse(declaration)
            table = Table(declaration, self._namespace, self._clock)
            found = self._records[declaration.entity] = PostgresRecords(table, self._executor)
        return found


def _version(write: Any, made: int | None) -> int:
    """Return the version of a record after its write; of one that is only seen, what was seen."""
    seen: int | None = getattr(write, "version", None)
    return int(made or 0) if seen is None else seen
