"""Rightstore: what it collects from modules, and what it refuses before anything runs."""

from types import ModuleType
from typing import Any

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore.errors import UsageError
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.job import Job
from rightstore.model.upgrade import upgrade
from rightstore.stores.definition import Rightstore
from rightstore.table.track import track
from rightstore.table.versioned import Versioned


def module(name: str = "domain", **things: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(things)
    return made


class Product(Entity, key="sku", home="mongodb"):
    sku: Field[str]


class Order(Entity):
    id: Field[str]


def test_it_collects_entities_in_order_and_nothing_else() -> None:
    domain = module(Entity=Entity, Job=Job, Product=Product, price=3, Order=Order)

    shop = Rightstore("shop", domain)

    assert [each.name for each in shop.declarations] == ["Product", "Order"]


def test_an_entity_that_two_modules_hold_is_collected_once() -> None:
    shop = Rightstore("shop", module(Product=Product), module("service", Alias=Product))

    assert [each.name for each in shop.declarations] == ["Product"]


@pytest.mark.parametrize("name", ["Shop", "9shop", "", "my-shop", "s" * 41, "shöp", 3])
def test_a_name_that_is_no_namespace_is_refused(name: Any) -> None:
    with pytest.raises(UsageError, match="a name has 1 to 40"):
        Rightstore(name)


def test_two_entities_of_one_name_are_refused_with_both() -> None:
    class Other(Entity, name="Product"):
        id: Field[str]

    with pytest.raises(UsageError, match=r"Product and .*Other are both named Product"):
        Rightstore("shop", module(Product=Product, Other=Other))


def test_a_name_of_the_library_is_refused() -> None:
    class Mine(Entity, name="rightstore_placement"):
        id: Field[str]

    with pytest.raises(UsageError, match="rightstore_ are the library's"):
        Rightstore("shop", module(Mine=Mine))


def test_what_is_no_module_is_refused() -> None:
    wrong: Any = "domain"

    with pytest.raises(UsageError, match="takes modules, not str"):
        Rightstore("shop", wrong)


def test_a_missing_upgrade_is_refused_with_its_number() -> None:
    class Old(Entity, schema=3):
        id: Field[str]

    @upgrade(Old, to=3)
    def last(old: dict[str, Any]) -> dict[str, Any]:
        return old

    with pytest.raises(UsageError, match="no upgrade to 2"):
        Rightstore("shop", module(Old=Old))


def test_a_type_that_is_never_defined_is_refused() -> None:
    class Lost(Entity):
        id: Field[str]
        part: "Field[Nowhere]"  # type: ignore[name-defined]  # noqa: F821 - that is the point

    with pytest.raises(UsageError, match="Nowhere"):
        Rightstore("shop", module(Lost=Lost))


def test_tracked_tables_are_collected_and_their_names_judged() -> None:
    class Base(DeclarativeBase): ...

    class Order(Versioned, Base):
        __tablename__ = "Product"
        id: Mapped[str] = mapped_column(primary_key=True)

    class Payment(Versioned, Base):
        __tablename__ = "payments"
        id: Mapped[str] = mapped_column(primary_key=True)

    orders, payments = track(Order, name="orders"), track(Payment, name="orders")

    shop = Rightstore("shop", module(orders=orders, again=orders))

    assert shop.tables == (orders,)
    with pytest.raises(UsageError, match="Order and Payment are both tracked as orders"):
        Rightstore("shop", module(orders=orders, payments=payments))
    with pytest.raises(UsageError, match="Product is the name of an entity and of a table"):
        Rightstore("shop", module(Product=Product, Order=Order))
