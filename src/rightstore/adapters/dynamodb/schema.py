"""Port `schema` on DynamoDB: a table for each entity, its indexes, its time to live, its stream.

Point-in-time recovery, capacity and deletion protection are left as they are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.dynamodb.errors import code_of, translated
from rightstore.adapters.dynamodb.fill import fill
from rightstore.adapters.dynamodb.index import Secondary
from rightstore.adapters.dynamodb.item import TTL, Items
from rightstore.adapters.dynamodb.portability import obstacles
from rightstore.adapters.dynamodb.wire import Wire
from rightstore.clock import SYSTEM
from rightstore.errors import DeadlineError, RejectedError, UnsupportedError
from rightstore.model.declaration import Declaration
from rightstore.ports.schema import Step

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
POLL, LONGEST, ALTERATIONS = 0.2, 3600.0, 5
_DONE = frozenset({"ResourceInUseException", "ResourceNotFoundException"})
Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """One step as this adapter does it: what, to which entity, and which index."""

    verb: str
    declaration: Declaration | None = None
    index: str = ""
    table: str = ""


class DynamodbSchema:
    """The tables of one namespace."""

    def __init__(self, connection: DynamodbConnection, namespace: str) -> None:
        self._connection, self._namespace = connection, namespace
        self._wire = Wire(connection, SYSTEM)

    async def plan(self, declarations: Sequence[Declaration]) -> list[Step]:
        """Compare what is there with these entities; return what is to be done."""
        steps: list[Step] = []
        for name in sorted({declaration.name for declaration in declarations}):
            same = [declaration for declaration in declarations if declaration.name == name]
            for declaration in same:
                _refuse(declaration)
            steps += await self._of(same)
        return steps

    async def apply(self, step: Step) -> None:
        """Do one step of a plan."""
        order: Order = step.order
        if order.declaration is None:
            await self._drop(order.table, order.index)
            return
        do: dict[str, Callable[[Items, str], Awaitable[None]]] = {
            "create": self._create,
            "index": self._index,
            "ttl": self._expire,
            "stream": self._stream,
        }
        await do[order.verb](Items(order.declaration, self._namespace), order.index)

    async def _of(self, declarations: Sequence[Declaration]) -> list[Step]:
        """Return the steps of one table, which several declarations (old and new) may share."""
        kinds = [Items(declaration, self._namespace) for declaration in declarations]
        first = kinds[0]
        table = await self._describe(first.table)
        steps = [] if table else [_step(first, "create", "create the table", "create")]
        there = set(_indexes(table))
        wanted = {index.name: (kind, index) for kind in kinds for index in kind.indexes}
        # DynamoDB adds one index at a time, but creates a table with all of them.
        created = there if table else {index.name for index in first.indexes}
        steps += [
            _step(kind, name, f"fill and build the index for {index.label}", "index")
            for name, (kind, index) in wanted.items()
            if name not in created
        ]
        for kind in kinds:
            if kind.declaration.retain and not await self._expires(table):
                steps.append(_step(kind, TTL, "let expired records go", "ttl"))
        streams = _streams(table) if table else first.declaration.log
        if any(kind.declaration.log for kind in kinds) and not streams:
            steps.append(_step(first, "stream", "stream its changes", "stream"))
        gone = [
            Step(
                "dynamodb",
                f"{first.table}.{name}",
                "drop the index, which nothing declares any more",
                order=Order("drop", None, name, first.table),
                phase="contract",
            )
            for name in sorted(there - wanted.keys())
        ]
        return steps + gone

    async def _create(self, items: Items, _: str) -> None:
        attributes = [(name, "S") for name in items.layout.attributes]
        indexed = [(name, "B") for index in items.indexes for name in (index.hash, index.range)]
        await self._do(
            "create_table",
            TableName=items.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=_definitions([*attributes, *indexed]),
            KeySchema=_keys(items.layout.attributes),
            **({"GlobalSecondaryIndexes": [_index(one) for one in items.indexes]}
               if items.indexes else {}),
            **({"StreamSpecification": STREAM} if items.declaration.log else {}),
        )  # fmt: skip
        await self._settled(items.table, is_new=True)

    async def _index(self, items: Items, name: str) -> None:
        """Compute the attributes of all records first, so that an index that is there is whole."""
        await self._settled(items.table)
        await fill(self._wire, items)
        index = next(one for one in items.indexes if one.name == name)
        await self._alter(
            items.table,
            lambda table: name in _indexes(table),
            AttributeDefinitions=_definitions(
                [
                    *((it, "S") for it in items.layout.attributes),
                    (index.hash, "B"),
                    (index.range, "B"),
                ]
            ),
            GlobalSecondaryIndexUpdates=[{"Create": _index(index)}],
        )

    async def _expire(self, items: Items, _: str) -> None:
        await self._settled(items.table)
        there = {"TableName": items.table}
        try:
            if not await self._expires(there):
                wish = {"Enabled": True, "AttributeName": TTL}
                await self._do("update_time_to_live", **there, TimeToLiveSpecification=wish)
        except RejectedError:
            # Another process may have been faster.
            if not await self._expires(there):
                raise

    async def _stream(self, items: Items, _: str) -> None:
        await self._alter(items.table, _streams, StreamSpecification=STREAM)

    async def _drop(self, table: str, index: str) -> None:
        await self._alter(
            table,
            lambda found: index not in _indexes(found),
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index}}],
        )

    async def _alter(self, table: str, is_done: Callable[[Table], bool], **change: Any) -> None:
        """Change a table until it is as wished; another process may be about the same."""
        for _ in range(ALTERATIONS):
            await self._settled(table)
            if is_done(await self._describe(table)):
                return
            try:
                await self._do("update_table", TableName=table, **change)
            except RejectedError:
                await self._settled(table)
                if not is_done(await self._describe(table)):
                    raise
        await self._settled(table)

    async def _describe(self, table: str) -> Table:
        answer = await self._do("describe_table", TableName=table)
        found: Table = answer.get("Table", {})
        return found

    async def _expires(self, table: Table) -> bool:
        if not table:
            return False
        answer = await self._do("describe_time_to_live", TableName=table["TableName"])
        told = answer.get("TimeToLiveDescription", {})
        return told.get("TimeToLiveStatus") in {"ENABLING", "ENABLED"}

    async def _settled(self, table: str, *, is_new: bool = False) -> None:
        """Wait until nothing of a table is being made any more; another process may have begun."""
        try:
            async with asyncio.timeout(LONGEST):
                while not _is_settled(found := await self._describe(table)):
                    if not found and not is_new:
                        break
                    await SYSTEM.sleep(POLL)
        except TimeoutError:
            raise DeadlineError(
                f"dynamodb is still at work on {table}: wait, and run it again",
                store="dynamodb",
                operation="schema",
            ) from None

    async def _do(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Ask; what is done already, or is not there, is an empty answer."""
        target = self._connection.target
        with translated(operation, at=target.address):
            async with asyncio.timeout(target.timeout):
                try:
                    answer: dict[str, Any] = await getattr(self._connection.client, operation)(
                        **arguments
                    )
                except ClientError as error:
                    if code_of(error) not in _DONE:
                        raise
                    return {}
        return answer


def _refuse(declaration: Declaration) -> None:
    for obstacle in obstacles(declaration):
        raise UnsupportedError(
            f"dynamodb cannot hold {declaration.name}: {obstacle.subject}: {obstacle.reason}: "
            f"{obstacle.remedy}."
        )


def _step(items: Items, what: str, action: str, verb: str) -> Step:
    subject = items.table if verb != "index" else f"{items.table}.{what}"
    return Step("dynamodb", subject, action, order=Order(verb, items.declaration, what))


def _definitions(attributes: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in attributes]


def _keys(names: Sequence[str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": kind}
        for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
    ]


def _index(index: Secondary) -> dict[str, Any]:
    return {
        "IndexName": index.name,
        "KeySchema": _keys((index.hash, index.range)),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }


def _indexes(table: Table) -> list[str]:
    return [str(index["IndexName"]) for index in table.get("GlobalSecondaryIndexes", [])]


def _streams(table: Table) -> bool:
    return bool(table.get("StreamSpecification", {}).get("StreamEnabled"))


def _is_settled(table: Table) -> bool:
    states = [table.get("TableStatus"), *(
        index.get("IndexStatus") for index in table.get("GlobalSecondaryIndexes", [])
    )]  # fmt: skip
    return all(state == "ACTIVE" for state in states)
