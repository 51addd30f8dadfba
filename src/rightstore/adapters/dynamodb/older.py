"""Port `upgrade` on DynamoDB: a scan of an entity's table, one request at a time."""

import json
from typing import Any

from botocore.exceptions import ClientError

from rightstore.adapters.dynamodb.client import DynamodbConnection
from rightstore.adapters.dynamodb.errors import code_of
from rightstore.adapters.dynamodb.item import DELETED, SCHEMA, Items
from rightstore.adapters.dynamodb.wire import Wire
from rightstore.clock import Clock
from rightstore.errors import RejectedError
from rightstore.model.declaration import Declaration
from rightstore.ports.upgrade import Older

# Items looked at in one call, each of them paid for.
WINDOW = 500


class DynamodbOlder:
    """What is left of older schemas in the tables of one application's entities."""

    def __init__(
        self, connection: DynamodbConnection, namespace: str, clock: Clock, *, window: int = WINDOW
    ) -> None:
        self._wire = Wire(connection, clock)
        self._namespace, self._clock, self._window = namespace, clock, window

    async def older(self, declaration: Declaration, limit: int, after: str | None = None) -> Older:
        """Return records of an older schema, in the order of the table."""
        items = Items(declaration, self._namespace)
        start: dict[str, Any] = {"ExclusiveStartKey": json.loads(after)} if after else {}
        try:
            page = await self._wire.read(
                "scan",
                TableName=items.table,
                ConsistentRead=True,
                Limit=self._window,
                FilterExpression="#schema < :schema AND attribute_not_exists(#deleted)",
                ExpressionAttributeNames={"#schema": SCHEMA, "#deleted": DELETED},
                ExpressionAttributeValues={":schema": {"N": str(declaration.schema)}},
                **start,
            )
        except RejectedError as error:
            if _is_not_there(error.__cause__):
                return Older()
            raise
        now = self._clock.now()
        read = [items.found(item) for item in page["Items"]]
        found = [each for each in read if items.is_alive(each, now)]
        end: dict[str, Any] | None = page.get("LastEvaluatedKey")
        if len(found) > limit:
            end = {name: dict(found[limit - 1].item[name]) for name in items.layout.attributes}
        return Older([each.stored() for each in found[:limit]], json.dumps(end) if end else None)


def _is_not_there(error: BaseException | None) -> bool:
    return isinstance(error, ClientError) and code_of(error) == "ResourceNotFoundException"
