"""DynamoDB by hand: aiobotocore, items converted to the dataclass by msgspec.

What the library computes for its index is copied from a record of the same category.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import msgspec
from aiobotocore.session import get_session

from benchmarks.workload import Plain, values

AT_ONCE = 16
PAGE = 100
Item = dict[str, Any]
MAY_CHANGE = "attribute_exists(PK) AND attribute_not_exists(#d) AND in_stock >= :z"
IS_THERE = "attribute_exists(PK) AND attribute_not_exists(#deleted) AND #v = :v"


class DynamodbByHand:
    """Implements `ByHand`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._computed: dict[str, Item] = {}
        self._secondary: tuple[str, str] | None = None

    async def get(self, key: str) -> Plain:
        """Read one record."""
        answer = await self._client.get_item(
            TableName=self._table, Key={"PK": {"S": key}}, ConsistentRead=True
        )
        return _plain(answer["Item"])

    async def get_many(self, keys: Sequence[str]) -> list[Plain | None]:
        """Read many, in the order asked."""
        wanted = {"Keys": [{"PK": {"S": key}} for key in keys], "ConsistentRead": True}
        answer = await self._client.batch_get_item(RequestItems={self._table: wanted})
        found = {item["PK"]["S"]: _plain(item) for item in answer["Responses"][self._table]}
        return [found.get(key) for key in keys]

    async def put(self, record: Plain, version: int) -> int:
        """Store a record if the one there has this version."""
        await self._client.put_item(
            TableName=self._table,
            Item=await self._item(record, version + 1),
            ConditionExpression=IS_THERE,
            ExpressionAttributeNames={"#v": "_v", "#deleted": "_deleted"},
            ExpressionAttributeValues={":v": {"N": str(version)}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return version + 1

    async def change(self, key: str, amount: int) -> Plain:
        """Add to a number of what is there."""
        answer = await self._client.update_item(
            TableName=self._table,
            Key={"PK": {"S": key}},
            UpdateExpression="SET in_stock = in_stock + :n, #v = #v + :one, #w = :w",
            ConditionExpression=MAY_CHANGE,
            ExpressionAttributeNames={"#v": "_v", "#w": "_w", "#d": "_deleted"},
            ExpressionAttributeValues={
                ":n": {"N": str(amount)},
                ":one": {"N": "1"},
                ":z": {"N": "0"},
                ":w": {"S": str(uuid4())},
            },
            ReturnValues="ALL_NEW",
        )
        return _plain(answer["Attributes"])

    async def find(self, category: str, limit: int) -> list[Plain]:
        """Find the cheapest of a category: by the index, then as the records are now."""
        hashed, index = await self._index()
        computed = await self._computed_of(category)
        found = await self._client.query(
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression="#h = :h",
            ExpressionAttributeNames={"#h": hashed},
            ExpressionAttributeValues={":h": computed[hashed]},
            Limit=limit,
        )
        records = await self.get_many([item["PK"]["S"] for item in found["Items"]])
        return [record for record in records if record is not None]

    async def bulk(self, records: Sequence[Plain]) -> int:
        """Store many new records: no batch of DynamoDB has conditions."""

        async def one(record: Plain) -> None:
            async with self._gate:
                await self._client.put_item(
                    TableName=self._table,
                    Item=await self._item(record, 1),
                    ConditionExpression="attribute_not_exists(PK)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )

        await asyncio.gather(*map(one, records))
        return len(records)

    async def _item(self, record: Plain, version: int) -> Item:
        computed = await self._computed_of(record.category)
        marks = {"_v": {"N": str(version)}, "_w": {"S": str(uuid4())}, "PK": {"S": record.id}}
        fields = {name: getattr(record, name) for name in Plain.__dataclass_fields__}
        return {**{name: _attribute(it) for name, it in fields.items()}, **computed, **marks}

    async def _computed_of(self, category: str) -> Item:
        """Return what the library adds to a record, from the first one of its category."""
        if category not in self._computed:
            answer = await self._client.get_item(
                TableName=self._table, Key={"PK": {"S": values(0, category)["id"]}}
            )
            self._computed[category] = {
                name: value
                for name, value in answer["Item"].items()
                if name not in {*Plain.__dataclass_fields__, "PK", "_v", "_w"}
            }
        return self._computed[category]

    async def _index(self) -> tuple[str, str]:
        """Return the attribute that the index goes by, and its name."""
        if self._secondary is None:
            answer = await self._client.describe_table(TableName=self._table)
            [index] = answer["Table"]["GlobalSecondaryIndexes"]
            self._secondary = index["KeySchema"][0]["AttributeName"], index["IndexName"]
        return self._secondary


def _plain(item: Mapping[str, Any]) -> Plain:
    data = {name: _value(item[name]) for name in Plain.__dataclass_fields__}
    return msgspec.convert(data, Plain, strict=False)


def _value(attribute: Mapping[str, Any]) -> Any:
    [(tag, value)] = attribute.items()
    if tag == "L":
        return [_value(item) for item in value]
    return None if tag == "NULL" else value


def _attribute(value: Any) -> Item:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float | Decimal):
        return {"N": str(value)}
    if isinstance(value, list):
        return {"L": [_attribute(item) for item in value]}
    return {"S": msgspec.to_builtins(value)}


@asynccontextmanager
async def by_hand(url: str, namespace: str) -> AsyncIterator[DynamodbByHand]:
    """Open the driver's own client for the block."""
    parts = urlsplit(url)
    creating = get_session().create_client(
        "dynamodb",
        region_name=parse_qs(parts.query)["region"][0],
        endpoint_url=f"{parts.scheme}://{parts.hostname}:{parts.port}",
        aws_access_key_id=unquote(parts.username or ""),
        aws_secret_access_key=unquote(parts.password or ""),
    )
    async with creating as client:
        yield DynamodbByHand(client, f"{namespace}.Item")
