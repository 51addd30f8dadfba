"""Types that signatures of applications mention, and that are rarely made by hand."""

from rightstore.model.condition import Expr
from rightstore.model.declaration import StoreName
from rightstore.model.edit import Edit
from rightstore.model.key import Key
from rightstore.model.order import Order
from rightstore.ports.portability import Obstacle
from rightstore.ports.records import Expect
from rightstore.repository.query import Query
from rightstore.repository.records import Records
from rightstore.repository.write import Where
from rightstore.stores.portability import EntityReport, Escape, Report
from rightstore.stores.status import Status, StoreStatus

__all__ = [
    "Edit",
    "EntityReport",
    "Escape",
    "Expect",
    "Expr",
    "Key",
    "Obstacle",
    "Order",
    "Query",
    "Records",
    "Report",
    "Status",
    "StoreName",
    "StoreStatus",
    "Where",
]
