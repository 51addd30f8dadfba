"""What MongoDB can hold at all, and what the running server can do."""

from collections.abc import Iterator, Sequence

from pymongo.errors import DuplicateKeyError
from pymongo.read_preferences import ReadPreference

from rightstore.adapters.mongodb.client import MongodbConnection
from rightstore.adapters.mongodb.document import ID
from rightstore.adapters.mongodb.errors import translated
from rightstore.ids import new_id
from rightstore.model.declaration import Declaration
from rightstore.ports.capability import Capability
from rightstore.ports.portability import Obstacle, missing

CAPABILITIES: frozenset[Capability] = frozenset({"scan", "unique", "aggregate", "transaction"})
# Besides these there is the index of the key.
MAX_INDEXES = 63
# A database of collections that live for a moment.
SCRATCH = "rightstore_probe"


def obstacles(declaration: Declaration) -> Sequence[Obstacle]:
    """Return everything that is in the way; nothing when MongoDB can hold the entity."""
    return [
        *missing(declaration, CAPABILITIES),
        *_indexes(declaration),
    ]


async def probe(connection: MongodbConnection) -> frozenset[Capability]:
    """Return what the running server can do.

    One that is no replica set has no transactions. One that is not MongoDB itself is tried: there
    is a release that never gives a unique value free again.
    """
    lacking: set[Capability] = set()
    with translated("probe", at=connection.target.address, outcome="not applied"):
        admin = connection.client.admin
        hello = await admin.command("hello", read_preference=ReadPreference.PRIMARY)
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            lacking.add("transaction")
        built = await admin.command("buildInfo")
        if "secantusVersion" in built and not await _gives_free(connection):
            lacking.add("unique")
    return CAPABILITIES - lacking


async def _gives_free(connection: MongodbConnection) -> bool:
    """Tell whether a unique value can be taken again once a record has another one."""
    trial = connection.client.get_database(SCRATCH)[new_id()]
    try:
        await trial.create_index([("value", 1)], unique=True)
        await trial.insert_one({ID: 1, "value": 1})
        await trial.update_one({ID: 1}, {"$set": {"value": 2}})
        await trial.insert_one({ID: 2, "value": 1})
    except DuplicateKeyError:
        return False
    finally:
        await trial.drop()
    return True


def _indexes(declaration: Declaration) -> Iterator[Obstacle]:
    if len(declaration.indexes) + bool(declaration.retain) > MAX_INDEXES:
        yield Obstacle(
            "indexes", f"a collection has up to {MAX_INDEXES}", "drop those that are not asked for"
        )
    for index in declaration.indexes:
        lists = [path for path, _ in index.columns if declaration.place(path).kind.tag == "list"]
        if len(lists) > 1:
            yield Obstacle(
                f"Index({', '.join(index.fields)})",
                "an index holds one list at most",
                "declare an index for each list",
            )
