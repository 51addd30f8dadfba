"""Port `search` in PostgreSQL, without any extension: a table for each generation, a view on it.

The view is what is live; `ts_rank` measures relevance by four classes of weights.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import asyncpg

from rightstore.adapters.postgres.body import to_json
from rightstore.adapters.postgres.client import LOST, PostgresConnection, Session
from rightstore.adapters.postgres.errors import translated
from rightstore.adapters.postgres.identifier import literal, namespace_of, quoted
from rightstore.adapters.postgres.portability import search_obstacles
from rightstore.adapters.postgres.search_query import Tables, hits_of, statement_of, suggestion_of
from rightstore.adapters.postgres.search_text import title_of, vector_of, vocabulary_of
from rightstore.adapters.postgres.table import Statement
from rightstore.errors import Outcome, StateError, StoreError, UnsupportedError, UsageError
from rightstore.model.declaration import Declaration
from rightstore.mutant import mutant
from rightstore.ports.question import judge_ask, judge_documents, refusal, searched, suggested
from rightstore.ports.search import Ask, Document, Hits, SearchCapability, SearchIndex

Outcomes = list[bool | StateError | StoreError]
CAPABILITIES: frozenset[SearchCapability] = frozenset({"typos"})
PREFIX = "rightstore_search"
MAX_BATCH = 500
LIVE = "SELECT obj_description(to_regclass($1), 'pg_class')"
HAS_SCHEMA = "SELECT to_regnamespace($1) IS NOT NULL"
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
PATIENCE = "SET LOCAL lock_timeout = '5s'"
NUMBERS = "CREATE SEQUENCE IF NOT EXISTS {schema}.{sequence}"
NEXT = "SELECT nextval($1::regclass)"
TABLE = (
    'CREATE TABLE {table} (key text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, '
    "deleted boolean NOT NULL, body json, words tsvector, title tsvector)"
)
# Every word that a generation ever had: one that no document has any more finds nothing.
WORDS = 'CREATE TABLE {table} (word text COLLATE "C" PRIMARY KEY, masks text[] NOT NULL)'
INDEX = "CREATE INDEX ON {table} USING gin ({column})"
VIEW = "CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}"
NUMBER = "COMMENT ON VIEW {view} IS {generation}"
DROP = "DROP TABLE IF EXISTS {table}"
# In the order of keys and of words, so that two writers never wait for each other in a circle.
TAKE = """
WITH vocabulary AS (
  INSERT INTO {words} (word, masks)
  SELECT word, (SELECT array_agg(overlay(word PLACING '*' FROM at FOR 1))
                FROM generate_series(1, length(word)) AS at)
  FROM unnest($6::text[]) AS given(word)
  WHERE NOT EXISTS (SELECT FROM {words} AS known WHERE known.word = given.word)
  ORDER BY word COLLATE "C"
  ON CONFLICT (word) DO NOTHING
)
INSERT INTO {table} AS there (key, version, deleted, body, words, title)
SELECT key, version, body IS NULL, body::json, words::tsvector, title::tsvector
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[])
     AS given(key, version, body, words, title)
ORDER BY key COLLATE "C"
ON CONFLICT (key) DO UPDATE SET (version, deleted, body, words, title) =
  (excluded.version, excluded.deleted, excluded.body, excluded.words, excluded.title)
{newer}
RETURNING key
"""
NEWER = "" if mutant("search_without_versions") else "WHERE there.version < excluded.version"


class PostgresSearch:
    """The indexes of one application."""

    def __init__(self, connection: PostgresConnection, namespace: str) -> None:
        self._connection, self._namespace = connection, namespace
        self._schema = namespace_of(namespace)

    @property
    def capabilities(self) -> frozenset[SearchCapability]:
        """It forgives typos; of weights it has four classes."""
        return CAPABILITIES

    def index(self, declaration: Declaration, generation: int | None = None) -> SearchIndex:
        """Return the live index, or one generation."""
        return PostgresIndex(self._connection, declaration, self._tables(declaration, generation))

    async def prepare(self, declaration: Declaration) -> None:
        """See that there is a live index."""
        searched(declaration)
        async with self._change("prepare", declaration) as session:
            if await self._live(session, declaration) is None:
                generation = await self._make(session, declaration)
                await self._show(session, declaration, generation)

    async def create(self, declaration: Declaration) -> int:
        """Make a new generation."""
        searched(declaration)
        async with self._change("create", declaration) as session:
            return await self._make(session, declaration)

    async def swap(self, declaration: Declaration, generation: int) -> None:
        """Make it the live one and remove the one before, in one transaction."""
        searched(declaration)
        async with self._change("swap", declaration) as session:
            live = await self._live(session, declaration)
            await self._show(session, declaration, generation)
            if live is not None and live != generation:
                await self._remove(session, declaration, live)

    async def drop(self, declaration: Declaration, generation: int) -> None:
        """Remove a generation that is not live."""
        searched(declaration)
        async with self._change("drop", declaration) as session:
            if await self._live(session, declaration) == generation:
                raise UsageError(
                    f"{declaration.name}: this index is live: swap another one in first."
                )
            await self._remove(session, declaration, generation)

    def _tables(self, declaration: Declaration, generation: int | None) -> Tables:
        number = "" if generation is None else int(generation)
        documents = quoted(f"{PREFIX}{number}_{declaration.name}"[:63])
        words = quoted(f"{PREFIX}{number}w_{declaration.name}"[:63])
        return Tables(f"{self._schema}.{documents}", f"{self._schema}.{words}")

    async def _live(self, session: Session, declaration: Declaration) -> int | None:
        number = await session.fetchval(LIVE, self._tables(declaration, None).documents)
        return None if number is None else int(number)

    async def _make(self, session: Session, declaration: Declaration) -> int:
        sequence = quoted(f"{PREFIX}_number")
        await session.execute(NUMBERS.format(schema=self._schema, sequence=sequence))
        generation = int(await session.fetchval(NEXT, f"{self._schema}.{sequence}"))
        tables = self._tables(declaration, generation)
        await session.execute(TABLE.format(table=tables.documents))
        await session.execute(WORDS.format(table=tables.words))
        for column in ("words", "title"):
            await session.execute(INDEX.format(table=tables.documents, column=column))
        await session.execute(INDEX.format(table=tables.words, column="masks"))
        return generation

    async def _remove(self, session: Session, declaration: Declaration, generation: int) -> None:
        tables = self._tables(declaration, generation)
        await session.execute(DROP.format(table=tables.documents))
        await session.execute(DROP.format(table=tables.words))

    async def _show(self, session: Session, declaration: Declaration, generation: int) -> None:
        views, tables = self._tables(declaration, None), self._tables(declaration, generation)
        await session.execute(VIEW.format(view=views.documents, table=tables.documents))
        await session.execute(VIEW.format(view=views.words, table=tables.words))
        number = literal(str(int(generation)))
        await session.execute(NUMBER.format(view=views.documents, generation=number))

    @asynccontextmanager
    async def _change(self, operation: str, declaration: Declaration) -> AsyncIterator[Session]:
        """Change the structure in a transaction, one process at a time."""
        _judge_name(declaration)
        with translated(operation, at=self._connection.target.address), _present(declaration):
            async with self._connection.session() as session, session.transaction():
                await session.execute(PATIENCE)
                await session.fetchval(ALONE, f"{PREFIX} {self._namespace}")
                if not await session.fetchval(HAS_SCHEMA, self._namespace):
                    await session.execute(f"CREATE SCHEMA {self._schema}")
                yield session


class PostgresIndex:
    """One entity's index, live or a generation."""

    def __init__(
        self, connection: PostgresConnection, declaration: Declaration, tables: Tables
    ) -> None:
        self._connection, self._declaration, self._tables = connection, declaration, tables

    async def index(self, documents: Sequence[Document]) -> Outcomes:
        """Take each whose version is above what is there."""
        _judge_name(self._declaration)
        judge_documents(self._declaration, documents)
        outcomes: dict[str, bool | StateError | StoreError] = {}
        sent: list[Document] = []
        for document in documents:
            no = refusal(self._declaration, document)
            if no:
                outcomes[document.key] = no
            else:
                sent.append(document)
        for at in range(0, len(sent), MAX_BATCH):
            chunk = sent[at : at + MAX_BATCH]
            try:
                taken = {row["key"] for row in await self._run("index", self._taking(chunk))}
                outcomes.update((document.key, document.key in taken) for document in chunk)
            except StoreError as error:
                outcomes.update((document.key, error) for document in chunk)
        return [outcomes[document.key] for document in documents]

    async def query(self, ask: Ask) -> Hits:
        """Return one page of what is found, with its counts."""
        _judge_name(self._declaration)
        judge_ask(self._declaration, ask, CAPABILITIES)
        rows = await self._run("query", statement_of(self._declaration, self._tables, ask))
        return hits_of(self._declaration, ask, rows)

    async def suggest(self, text: str, size: int = 10) -> list[str]:
        """Return values that begin to look like this."""
        _judge_name(self._declaration)
        field = suggested(self._declaration)
        ask = Ask(text, prefix=True, size=size)
        judge_ask(self._declaration, ask, CAPABILITIES)
        if not ask.terms:
            return []
        rows = await self._run("suggest", suggestion_of(self._tables.documents, field, ask))
        return [row["value"] for row in rows]

    async def settle(self) -> None:
        """What was taken is found at once."""

    def _taking(self, documents: Sequence[Document]) -> Statement:
        d, tables = self._declaration, self._tables
        columns: list[Sequence[object]] = [
            [document.key for document in documents],
            [document.version for document in documents],
            [None if it.data is None else to_json(it.data) for it in documents],
            [None if it.data is None else vector_of(d, it) for it in documents],
            [None if it.data is None else title_of(d, it) for it in documents],
            vocabulary_of(d, documents),
        ]
        return Statement(
            TAKE.format(table=tables.documents, words=tables.words, newer=NEWER), columns
        )

    async def _run(self, operation: str, statement: Statement) -> Sequence[Any]:
        """Run it once more where the connection was lost: every write here may be repeated."""

        async def run() -> Sequence[Any]:
            async with self._connection.session() as session:
                found: Sequence[Any] = await session.fetch(statement.text, *statement.values)
                return found

        outcome: Outcome = "unknown" if operation == "index" else "not applied"
        at = self._connection.target.address
        with translated(operation, at=at, outcome=outcome), _present(self._declaration):
            with suppress(*LOST):
                return await run()
            return await run()


@contextmanager
def _present(declaration: Declaration) -> Iterator[None]:
    try:
        yield
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        raise UsageError(
            f"{declaration.name} has no such search index: prepare or create it."
        ) from None


def _judge_name(declaration: Declaration) -> None:
    for obstacle in search_obstacles(declaration):
        raise UnsupportedError(
            f"{declaration.name}: postgres cannot search it: {obstacle.reason}: {obstacle.remedy}."
        )
