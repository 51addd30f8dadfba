"""Entities are standard dataclasses: what else reads dataclasses takes them as they are."""

import copy
import dataclasses
import pickle
import timeit
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import TypeAdapter, ValidationError

from rightstore.errors import UsageError
from rightstore.model.declaration import declaration_of
from rightstore.model.entity import Entity, stamp, version_of
from rightstore.model.field import Field, Maybe, field
from rightstore.model.job import Job
from rightstore.model.part import Part
from rightstore.model.wish import Index


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


class Geo(Part):
    country: Field[str]


class Product(Entity, key="sku", home="mongodb"):
    sku: Field[str]
    price: Field[Decimal]
    size: Field[Size] = field(default=Size.SMALL)
    geo: Maybe[Geo] = field(default=None)
    tags: Field[list[str]] = field(default_factory=list)
    made: Field[datetime | None] = field(default=None)


class Fixed(Entity, frozen=True):
    id: Field[str]


@dataclasses.dataclass
class Plain:
    sku: str


def product(**values: Any) -> Product:
    given: dict[str, Any] = {"sku": "a", "price": Decimal("1.10")}
    return Product(**(given | values))


def test_a_record_is_a_dataclass_with_keyword_arguments_only() -> None:
    names = [spec.name for spec in dataclasses.fields(Product)]

    assert names == ["sku", "price", "size", "geo", "tags", "made", "_version"]
    with pytest.raises(TypeError):
        Product("a", Decimal(1))  # type: ignore[call-arg]  # on purpose


def test_records_are_equal_by_their_fields_and_not_by_their_version() -> None:
    one, two = product(), product()
    stamp(two, 7)

    assert one == two
    assert one != product(sku="b")
    assert "_version" not in repr(two)


def test_replace_keeps_the_version() -> None:
    record = product()
    stamp(record, 7)

    changed = dataclasses.replace(record, sku="b")

    assert version_of(changed) == 7
    assert version_of(product()) == 0


def test_a_frozen_record_takes_a_version_and_nothing_else() -> None:
    record = Fixed(id="a")

    stamp(record, 2)

    assert version_of(record) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.id = "b"  # type: ignore[misc]  # on purpose


def test_the_version_of_a_row_is_its_column() -> None:
    class Row:
        def __init__(self) -> None:
            self.version = 4

    assert version_of(Row()) == 4


def test_records_can_be_copied_and_pickled() -> None:
    record = product(geo=Geo(country="at"))
    stamp(record, 3)

    for twin in (copy.deepcopy(record), pickle.loads(pickle.dumps(record))):  # noqa: S301 - ours
        assert twin == record
        assert version_of(twin) == 3


def test_reading_an_attribute_costs_as_much_as_on_a_plain_dataclass() -> None:
    ours, plain = product(), Plain(sku="a")

    spent = [
        min(timeit.repeat("record.sku", globals={"record": record}, number=20_000, repeat=7))
        for record in (ours, plain)
    ]

    assert "sku" in vars(ours)
    assert spent[0] < spent[1] * 3


def test_pydantic_takes_records_and_neither_shows_nor_takes_the_version() -> None:
    adapter = TypeAdapter(Product)
    record = product(geo=Geo(country="at"), made=datetime(2026, 1, 2, tzinfo=UTC))
    stamp(record, 3)

    body = adapter.dump_json(record)

    assert b"_version" not in body
    assert adapter.validate_json(body) == record
    assert version_of(adapter.validate_python({"sku": "a", "price": 1, "_version": 9})) == 0
    assert "_version" not in adapter.json_schema()["properties"]
    with pytest.raises(ValidationError):
        adapter.validate_python({"sku": "a"})


async def test_fastapi_takes_records_as_bodies_and_answers() -> None:
    api = FastAPI()

    @api.post("/products")
    async def post(given: Product) -> Product:
        stamp(given, 5)
        return given

    async with AsyncClient(transport=ASGITransport(api), base_url="http://test") as client:
        answer = await client.post("/products", json={"sku": "a", "price": "1.10", "size": "l"})
        schema = (await client.get("/openapi.json")).json()["components"]["schemas"]

    assert answer.json() == {
        "sku": "a",
        "price": "1.10",
        "size": "l",
        "geo": None,
        "tags": [],
        "made": None,
    }
    assert set(schema["Product-Input"]["required"]) == {"sku", "price"}
    assert "_version" not in schema["Product-Input"]["properties"]


def test_msgspec_takes_records() -> None:
    record = product(geo=Geo(country="at"))

    body = msgspec.json.encode(record)

    assert msgspec.json.decode(body, type=Product) == record


def test_a_deleted_attribute_is_missed_by_name() -> None:
    record = product()
    del record.sku

    with pytest.raises(AttributeError, match=r"Product\.sku has no value in this record"):
        _ = record.sku


def test_fields_are_inherited_and_can_be_narrowed() -> None:
    class Delivery(Job, name="queue", rename="camel", indexes=[Index("user_id")]):
        user_id: Field[str]
        priority: Field[int]

    found = declaration_of(Delivery)

    assert list(found.fields)[:2] == ["id", "status"]
    assert found.fields["last_attempt_at"].stored == "lastAttemptAt"
    assert [index.fields for index in found.indexes] == [
        ("status", "-priority", "created_at"),
        ("next_retry_at",),
        ("user_id",),
    ]
    assert not found.log
    with pytest.raises(TypeError, match="priority"):
        Delivery(user_id="a")  # type: ignore[call-arg]  # on purpose
    assert Delivery(user_id="a", priority=1).status == "pending"


def test_a_job_can_wish_for_the_log() -> None:
    class Delivery(Job, log=True):
        pass

    assert declaration_of(Delivery).log


def test_the_documented_fields_of_a_job_have_their_defaults() -> None:
    record = Job()

    assert dataclasses.asdict(record) | {"id": "", "created_at": None} == {
        "id": "",
        "status": "pending",
        "priority": 0,
        "attempts": 0,
        "max_attempts": 5,
        "last_attempt_at": None,
        "next_retry_at": None,
        "errors": [],
        "created_at": None,
        "processed_at": None,
        "completed_at": None,
        "_version": 0,
    }


def test_only_entities_have_a_declaration() -> None:
    for stranger in (Plain, Geo, Entity, 5):
        with pytest.raises(UsageError, match="is no entity"):
            declaration_of(stranger)


def test_a_declaration_says_everything_that_was_declared() -> None:
    found = declaration_of(Product)

    assert (found.name, found.key, found.home, found.group) == (
        "Product",
        ("sku",),
        "mongodb",
        "Product",
    )
    assert str(found.fields["geo"].kind) == "Geo | None"
    assert found.fields["size"].kind.options == ("s", "l")
    assert not found.is_key_generated
    assert declaration_of(Job).is_key_generated
    assert declaration_of(Job).is_job
