"""Stores: the open runtime of one application. It finds the store; others do the work."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar, final, overload

from rightstore.errors import NotConfiguredError, RightstoreError, UnsupportedError, UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity
from rightstore.ports.relational import Relational
from rightstore.repository.records import Records
from rightstore.repository.repository import Repository
from rightstore.repository.row import TableAccess, is_table
from rightstore.repository.run import run
from rightstore.repository.transaction import Transaction, transaction
from rightstore.stores.engine import Engine
from rightstore.stores.ground import Ground
from rightstore.stores.status import Status, StoreStatus
from rightstore.telemetry.log import mask

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import DeclarativeBase

    from rightstore.table.track import TrackedTable

    Row = TypeVar("Row", bound=DeclarativeBase)

Ent = TypeVar("Ent", bound=Entity)
A = TypeVar("A")
N = TypeVar("N")
R = TypeVar("R")


@final
class Stores:
    """All stores of one application, connected, for as long as the block of `open` lasts."""

    def __init__(self, ground: Ground, tables: "Sequence[TrackedTable[Any]]" = ()) -> None:
        """`tables` are those whose rows are reached by key."""
        self._ground, self._tables = ground, {each.model: each for each in tables}
        self._known: dict[type[Any], Any] = {}

    @overload
    def of(self, kind: type[Ent]) -> Repository[Ent]: ...
    @overload
    def of(self, kind: "type[Row]") -> "Records[Row]": ...
    def of(self, kind: type[Any]) -> Any:
        """Return what reads and writes the records of an entity, wherever they live.

        Of a tracked table: its rows by key, each write a transaction of its own; writes that wait
        at the same moment share one commit.
        """
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = self._rows(kind) if is_table(kind) else self._records(kind)
        return found

    async def run(
        self,
        do: Callable[[A, Transaction], Awaitable[R]],
        arg: A,
        *,
        once: str | None = None,
    ) -> R:
        """Run `do(arg, tx)` in a transaction, again when something has moved on meanwhile.

        With `once`, the same key and argument have one effect within a day, and every call gives
        its result; the same key with another argument is a KeyReusedError.
        """
        return await run(self._ground, do, arg, once=once)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction for a block: all of it or nothing, tried once. `run` tries again."""
        return transaction(self._ground)

    def sql(self) -> "AbstractAsyncContextManager[AsyncSession]":
        """Open a session of SQLAlchemy to read tables with; what it writes is refused."""
        return self._relational().reading()

    def native(self, client: type[N], *, why: str) -> N:
        """Return the driver's own client of this class: asyncpg.Pool, AsyncMongoClient, …

        What uses it stays where it is when an entity moves; `rightstore check` lists it with `why`.
        """
        if not why.strip():
            raise UsageError("native() needs why=: what do you need that Rightstore lacks?")
        for engine in self._engines():
            if isinstance(engine.client, client):
                return engine.client
        names = ", ".join(engine.store for engine in self._engines())
        raise NotConfiguredError(
            f"{self._ground.application} has no {client.__name__} open: it connects to {names} "
            "only, where its entities live."
        )

    async def health(self) -> Mapping[str, bool]:
        """Ask every store that the application uses whether it serves."""
        return {name: each.ok for name, each in (await self.status()).stores.items()}

    async def status(self) -> Status:
        """Say how each store is, and where each entity lives."""
        engines = self._engines()
        answers = await gather(*map(self._ask, engines))
        stores = {engine.store: each for engine, each in zip(engines, answers, strict=True)}
        return Status(stores, tuple(self._ground.placed.values()))

    def _records(self, kind: type[Any]) -> Repository[Any]:
        engine = self._ground.engine_of(declaration_of(kind))
        return Repository(kind, engine.records, at=engine.store)

    def _rows(self, kind: type[Any]) -> Records[Any]:
        tracked = self._tables.get(kind)
        if tracked is None:
            raise UsageError(
                f"{kind.__name__} is no tracked table of {self._ground.application}: declare "
                f"track({kind.__name__}) in a module that you pass to Rightstore(…)."
            )
        return Records(TableAccess(kind, self._relational().rows(tracked)))

    async def _ask(self, engine: Engine) -> StoreStatus:
        if engine.measured is None:
            return StoreStatus(ok=True)
        try:
            await engine.measured.ping()
        except RightstoreError as error:
            return StoreStatus(ok=False, error=mask(str(error)))
        return StoreStatus(ok=True, connections=self._ground.connections(engine))

    def _relational(self) -> Relational:
        relational = self._ground.relational()
        if relational is None:
            raise UnsupportedError(
                f"{self._ground.application}: tables live in PostgreSQL, and this runs in memory: "
                "open it with Settings.embedded() or a POSTGRES_URL."
            )
        return relational

    def _engines(self) -> list[Engine]:
        """Return each store once; in memory one has every name."""
        return list({engine.store: engine for engine in self._ground.engines.values()}.values())
