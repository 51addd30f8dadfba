"""Stores, on memory: repositories, what is refused, how it is."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import ModuleType

import pytest

from rightstore.errors import (
    AlreadyExistsError,
    ConditionError,
    NotConfiguredError,
    UnsupportedError,
    UsageError,
)
from rightstore.ids import new_id
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.ports.placement import Placement
from rightstore.repository.transaction import Transaction
from rightstore.settings import Settings
from rightstore.stores.definition import Rightstore
from rightstore.stores.status import Status, StoreStatus
from rightstore.stores.stores import Stores


class Product(Entity, key="sku", home="mongodb"):
    sku: Field[str]
    sold: Field[int] = field(default=0)


shop = ModuleType("shop")
shop.Product = Product  # type: ignore[attr-defined]
SHOP = Rightstore("shop", shop)


@pytest.fixture
async def stores() -> AsyncIterator[Stores]:
    async with SHOP.open(Settings.memory()) as opened:
        yield opened


async def test_a_record_is_written_and_read(stores: Stores) -> None:
    await stores.of(Product).put(Product(sku="a"))

    assert await stores.of(Product).get("a") == Product(sku="a")
    assert stores.of(Product) is stores.of(Product)


async def test_what_two_openings_write_is_strange_to_each_other(stores: Stores) -> None:
    await stores.of(Product).put(Product(sku="a"))

    async with SHOP.open(Settings.memory()) as other:
        assert await other.of(Product).get("a") is None


async def test_a_read_says_where_it_came_from(stores: Stores) -> None:
    await stores.of(Product).put(Product(sku="a"))

    read = await stores.of(Product).read("a")

    assert read is not None
    assert read.source == "memory"


async def test_an_entity_of_another_application_is_refused(stores: Stores) -> None:
    class Stranger(Entity):
        id: Field[str]

    with pytest.raises(UsageError, match="Stranger is no part of shop"):
        stores.of(Stranger)


async def test_memory_has_no_driver_to_hand_out(stores: Stores) -> None:
    with pytest.raises(NotConfiguredError, match="it connects to memory only"):
        stores.native(dict, why="a report")
    with pytest.raises(UsageError, match="needs why="):
        stores.native(dict, why=" ")


async def test_the_status_names_stores_and_placements(stores: Stores) -> None:
    status = await stores.status()

    assert status == Status(
        {"memory": StoreStatus(ok=True)}, (Placement("Product", "mongodb", "mongodb"),)
    )
    assert await stores.health() == {"memory": True}


async def test_an_error_in_the_block_comes_through() -> None:
    async def twice() -> None:
        async with SHOP.open(Settings.memory()) as opened:
            await opened.of(Product).put(Product(sku="a"))
            await opened.of(Product).put(Product(sku="a"))

    with pytest.raises(AlreadyExistsError):
        await twice()


class Account(Entity, group="money"):
    id: Field[str]
    balance: Field[int]


class Entry(Entity, group="money"):
    id: Field[str]
    amount: Field[int]


@dataclass(frozen=True)
class Transfer:
    source: str
    target: str
    amount: int


BANK = Rightstore("bank", sys.modules[__name__])


async def move(transfer: Transfer, tx: Transaction) -> str:
    enough = Account.balance >= transfer.amount
    await tx.of(Account).change(transfer.source, Account.balance.add(-transfer.amount), when=enough)
    await tx.of(Account).change(transfer.target, Account.balance.add(transfer.amount))
    entry = Entry(id=new_id(), amount=transfer.amount)
    await tx.of(Entry).put(entry)
    return entry.id


async def test_a_run_happens_as_a_whole_and_with_a_key_once() -> None:
    async with BANK.open(Settings.memory()) as stores:
        accounts = stores.of(Account)
        await accounts.put_many([Account(id="a", balance=10), Account(id="b", balance=0)])

        first = await stores.run(move, Transfer("a", "b", 7), once="t1")
        again = await stores.run(move, Transfer("a", "b", 7), once="t1")
        with pytest.raises(ConditionError):
            await stores.run(move, Transfer("a", "b", 7), once="t2")

        assert first == again
        assert [each.balance for each in await accounts.find().all()] == [3, 7]
        assert await stores.of(Entry).find().count() == 1


async def test_a_block_is_one_transaction() -> None:
    async with BANK.open(Settings.memory()) as stores:
        async with stores.transaction() as tx:
            await tx.of(Account).put(Account(id="a", balance=1))
            await tx.of(Entry).put(Entry(id="e", amount=1))

        assert await stores.of(Entry).get("e") == Entry(id="e", amount=1)


async def test_tables_are_refused_in_memory_with_the_remedy(stores: Stores) -> None:
    with pytest.raises(UnsupportedError, match=r"Settings\.embedded\(\)"):
        stores.sql()
