"""Port `search` in OpenSearch: an index for each generation behind an alias that hides tombstones.

No document is ever deleted: OpenSearch forgets the version of a deleted one after a minute, and an
old write would bring it back. It has one shard: the most frequent values are counted exactly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import msgspec
from opensearchpy import AsyncOpenSearch
from opensearchpy import exceptions as driver

from rightstore.adapters.opensearch.client import OpensearchConnection
from rightstore.adapters.opensearch.encoding import milliseconds
from rightstore.adapters.opensearch.errors import outcome_of, translated
from rightstore.adapters.opensearch.layout import layout_of, mapping_of, source_of
from rightstore.adapters.opensearch.name import (
    alias_of,
    gate_of,
    generation_of,
    id_of,
    index_of,
)
from rightstore.adapters.opensearch.question import (
    LIVE,
    body_of,
    hits_of,
    suggestion_of,
    tallies,
)
from rightstore.clock import now
from rightstore.errors import Outcome, StateError, StoreError, UsageError
from rightstore.model.declaration import Declaration
from rightstore.mutant import mutant
from rightstore.ports.question import judge_ask, judge_documents, refusal, searched, suggested
from rightstore.ports.search import (
    SEARCH_CAPABILITIES,
    Ask,
    Document,
    Hits,
    SearchCapability,
    SearchIndex,
)

Outcomes = list[bool | StateError | StoreError]
SETTINGS: Mapping[str, Any] = {
    "index": {
        "number_of_shards": 1,
        "auto_expand_replicas": "0-1",
        "mapping.total_fields.limit": 2000,
    }
}
MAX_BATCH, MAX_BYTES = 500, 8_000_000
_READING = {"allow_partial_search_results": "false"}
_STALE = 409


class OpensearchSearch:
    """The indexes of one application."""

    def __init__(self, connection: OpensearchConnection, namespace: str) -> None:
        self._connection, self._namespace = connection, namespace

    @property
    def capabilities(self) -> frozenset[SearchCapability]:
        """It can do everything."""
        return SEARCH_CAPABILITIES

    def index(self, declaration: Declaration, generation: int | None = None) -> SearchIndex:
        """Return the live index, or one generation."""
        return OpensearchIndex(
            self._connection, declaration, alias_of(self._namespace, declaration.name), generation
        )

    async def prepare(self, declaration: Declaration) -> None:
        """See that there is a live index."""
        alias = self._alias(declaration)
        with self._translated("prepare"):
            if not await self._client.indices.exists_alias(name=alias):
                # Of two at once one makes it, alias and all; the other finds it made.
                await self._make(declaration, alias, 1, live=True)

    async def create(self, declaration: Declaration) -> int:
        """Make a new generation."""
        alias = self._alias(declaration)
        with self._translated("create"):
            while True:
                there = await self._client.indices.get(index=f"{alias}-*")
                newest = max((generation_of(alias, name) or 0 for name in there), default=0)
                # By the time of day too: the number of one that was dropped is not used again.
                number = max(newest + 1, milliseconds(now()))
                if await self._make(declaration, alias, number, live=False):
                    return number

    async def swap(self, declaration: Declaration, generation: int) -> None:
        """Make it the live one and remove the one before, in one step."""
        alias = self._alias(declaration)
        index = index_of(alias, generation)
        with self._translated("swap"), _present(declaration):
            live = await self._live(alias)
            if live == {index}:
                return
            actions: list[dict[str, Any]] = [
                {"remove_index": {"index": old}} for old in sorted(live)
            ]
            actions.append({"add": {"index": index, "alias": alias, **_alias()}})
            await self._client.indices.update_aliases(body={"actions": actions})

    async def drop(self, declaration: Declaration, generation: int) -> None:
        """Remove a generation that is not live."""
        alias = self._alias(declaration)
        index = index_of(alias, generation)
        with self._translated("drop"):
            if index in await self._live(alias):
                raise UsageError(
                    f"{declaration.name}: this index is live: swap another one in first."
                )
            await self._client.indices.delete(index=index, params={"ignore_unavailable": "true"})

    @property
    def _client(self) -> AsyncOpenSearch:
        return self._connection.client

    def _alias(self, declaration: Declaration) -> str:
        searched(declaration)
        return alias_of(self._namespace, declaration.name)

    async def _live(self, alias: str) -> set[str]:
        try:
            return set(await self._client.indices.get_alias(name=alias))
        except driver.NotFoundError:
            return set()

    async def _make(
        self, declaration: Declaration, alias: str, generation: int, *, live: bool
    ) -> bool:
        """Make the index of a generation; False when there is one."""
        index = index_of(alias, generation)
        aliases: dict[str, Any] = {gate_of(index): {}} | ({alias: _alias()} if live else {})
        body = {"settings": SETTINGS, "mappings": mapping_of(declaration), "aliases": aliases}
        try:
            await self._client.indices.create(index=index, body=body)
        except driver.RequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
            return False
        return True

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        with translated(operation, at=self._connection.target.address):
            yield


class OpensearchIndex:
    """One entity's index, live or a generation."""

    def __init__(
        self,
        connection: OpensearchConnection,
        declaration: Declaration,
        alias: str,
        generation: int | None,
    ) -> None:
        self._connection, self._declaration = connection, declaration
        self._name = alias if generation is None else index_of(alias, generation)
        # What is written to must be an alias: see `gate_of`.
        self._gate = alias if generation is None else gate_of(self._name)
        self._layout = layout_of(declaration)

    async def index(self, documents: Sequence[Document]) -> Outcomes:
        """Take each whose version is above what is there."""
        judge_documents(self._declaration, documents)
        outcomes: dict[str, bool | StateError | StoreError] = {}
        sent: list[tuple[str, bytes]] = []
        for document in documents:
            no = refusal(self._declaration, document)
            if no:
                outcomes[document.key] = no
            else:
                sent.append((document.key, self._line(document)))
        rest = iter(sent)
        while chunk := _chunk(rest):
            outcomes.update(await self._send(chunk))
        return [outcomes[document.key] for document in documents]

    async def query(self, ask: Ask) -> Hits:
        """Return one page of what is found, with its counts."""
        judge_ask(self._declaration, ask, SEARCH_CAPABILITIES)
        answer = await self._ask("query", body_of(self._declaration, self._layout, ask))
        return hits_of(self._declaration, ask, answer)

    async def suggest(self, text: str, size: int = 10) -> list[str]:
        """Return values that begin to look like this."""
        field = suggested(self._declaration)
        ask = Ask(text, prefix=True, size=size)
        judge_ask(self._declaration, ask, SEARCH_CAPABILITIES)
        if not ask.terms or not size:
            return []
        answer = await self._ask("suggest", suggestion_of(self._layout, field, ask))
        return [one.value for one in tallies(field.place, answer["aggregations"]["f0"])]

    async def settle(self) -> None:
        """Let the server show everything that it has taken."""
        await self._call("settle", lambda client: client.indices.refresh(index=self._name))

    def _line(self, document: Document) -> bytes:
        action: dict[str, Any] = {"_id": id_of(document.key)}
        if not mutant("search_without_versions"):
            action |= {"version": document.version, "version_type": "external"}
        source = source_of(self._declaration, self._layout, document)
        return b"%s\n%s\n" % (
            msgspec.json.encode({"index": action}),
            msgspec.json.encode(source),
        )

    async def _send(
        self, chunk: Sequence[tuple[str, bytes]]
    ) -> dict[str, bool | StateError | StoreError]:
        body = b"".join(line for _, line in chunk).decode()
        params = {"require_alias": "true"}
        keys = [key for key, _ in chunk]
        try:
            answer = await self._call(
                "index", lambda client: client.bulk(body=body, index=self._gate, params=params)
            )
        except StoreError as error:
            return dict.fromkeys(keys, error)
        items = [item["index"] for item in answer["items"]]
        return {key: self._outcome(item) for key, item in zip(keys, items, strict=True)}

    def _outcome(self, item: Mapping[str, Any]) -> bool | StoreError:
        status = int(item["status"])
        if status < 300:
            return True
        if status == _STALE:
            return False
        if item["error"]["type"] == "index_not_found_exception":
            raise _absent(self._declaration)
        return outcome_of(status, "index", at=self._connection.target.address)

    async def _ask(self, operation: str, body: Mapping[str, Any]) -> Any:
        return await self._call(
            operation,
            lambda client: client.search(index=self._name, body=body, params=_READING),
        )

    async def _call(self, operation: str, call: Callable[[AsyncOpenSearch], Awaitable[Any]]) -> Any:
        """Call once more where the connection was lost: every write here may be repeated."""
        client, target = self._connection.client, self._connection.target
        outcome: Outcome = "unknown" if operation == "index" else "not applied"
        with (
            translated(operation, at=target.address, outcome=outcome),
            _present(self._declaration),
        ):
            async with asyncio.timeout(target.timeout):
                try:
                    return await call(client)
                except (driver.ConnectionTimeout, driver.SSLError):
                    raise
                except driver.ConnectionError:
                    return await call(client)


def _chunk(lines: Iterator[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return the next lines that one request may carry; at least one, if there is one."""
    chunk: list[tuple[str, bytes]] = []
    size = 0
    for line in islice(lines, MAX_BATCH):
        chunk.append(line)
        size += len(line[1])
        if size >= MAX_BYTES:
            break
    return chunk


def _alias() -> dict[str, Any]:
    return {"filter": LIVE, "is_write_index": True}


@contextmanager
def _present(declaration: Declaration) -> Iterator[None]:
    try:
        yield
    except driver.NotFoundError:
        raise _absent(declaration) from None


def _absent(declaration: Declaration) -> UsageError:
    return UsageError(f"{declaration.name} has no such search index: prepare or create it.")
