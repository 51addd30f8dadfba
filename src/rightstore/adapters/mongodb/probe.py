"""What the running server can do, of all that MongoDB can. It keeps nothing there."""

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.read_preferences import ReadPreference

from rightstore.adapters.mongodb.client import BUILD_INFO, EMBEDDED, MongodbConnection
from rightstore.adapters.mongodb.document import ID, Document
from rightstore.adapters.mongodb.errors import translated
from rightstore.adapters.mongodb.portability import CAPABILITIES
from rightstore.ids import new_id
from rightstore.ports.capability import Capability

# A database of collections that live for a moment.
SCRATCH = "rightstore_probe"
UNAUTHORIZED = 13


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
        built = await admin.command(dict(BUILD_INFO))
        if EMBEDDED in built and not await _gives_free(connection):
            lacking.add("unique")
    return CAPABILITIES - lacking


async def _gives_free(connection: MongodbConnection) -> bool:
    """Tell whether a unique value can be taken again once a record has another one.

    Who may not try it, because his rights end at his own database, does not get the promise.
    """
    try:
        return await _tried(connection.client.get_database(SCRATCH)[new_id()])
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        return False


async def _tried(trial: AsyncCollection[Document]) -> bool:
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
