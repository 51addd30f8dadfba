"""The public names of entities in pydantic and FastAPI are those of `Read.json`, in parts too.

It cannot catch what a later pydantic makes of schemas; the names of OpenAPI are checked for that.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, TypeAdapter, ValidationError

from rightstore.model.entity import Entity
from rightstore.model.field import Field, Maybe, field
from rightstore.model.part import Part
from rightstore.model.record import to_stored


class Reading(Part):
    read_at: Field[datetime | None] = field(default=None)


class InApp(Part):
    is_read: Field[bool] = field(default=False)
    last_reading: Maybe[Reading] = field(default=None)
    sub_items: Field[list["InApp"]] = field(default_factory=list)


class Place(Part):
    country: Field[str]


class Notice(Entity, rename="camel"):
    id: Field[str]
    user_id: Field[str]
    in_app: Field[InApp]
    older_ones: Field[list[InApp]] = field(default_factory=list)
    by_device: Field[dict[str, Reading]] = field(default_factory=dict)
    base_price: Field[Decimal] = field(default=Decimal(0), stored_as="cost")
    sent_to: Maybe[Place] = field(default=None)


class Plain(Entity):
    id: Field[str]
    in_app: Field[InApp]


class Swapped(Entity):
    id: Field[str]
    first: Field[int] = field(stored_as="second")
    second: Field[int] = field(stored_as="first")


AT = datetime(2026, 1, 2, tzinfo=UTC)
NOTICE = Notice(
    id="n",
    user_id="u",
    in_app=InApp(is_read=True, sub_items=[InApp(last_reading=Reading(read_at=AT))]),
    older_ones=[InApp()],
    by_device={"left_phone": Reading(read_at=AT)},
    base_price=Decimal("1.10"),
    sent_to=Place(country="at"),
)
BARE: dict[str, Any] = {"isRead": False, "lastReading": None, "subItems": []}
PUBLIC = {
    "id": "n",
    "userId": "u",
    "inApp": {
        "isRead": True,
        "lastReading": None,
        "subItems": [
            {"isRead": False, "lastReading": {"readAt": "2026-01-02T00:00:00Z"}, "subItems": []}
        ],
    },
    "olderOnes": [BARE],
    "byDevice": {"left_phone": {"readAt": "2026-01-02T00:00:00Z"}},
    "cost": "1.10",
    "sentTo": {"country": "at"},
}


class Both(BaseModel):
    plain: Plain
    notice: Notice
    alone: InApp


def test_pydantic_shows_the_names_that_are_stored_as_the_public_json_does() -> None:
    shown = msgspec.json.decode(TypeAdapter(Notice).dump_json(NOTICE))

    assert shown == PUBLIC
    assert shown == msgspec.json.decode(msgspec.json.encode(to_stored(NOTICE)))


def test_pydantic_takes_public_names_and_those_of_the_class() -> None:
    adapter = TypeAdapter(Notice)

    assert adapter.validate_python(PUBLIC) == NOTICE
    by_name = adapter.validate_python(
        {"id": "n", "user_id": "u", "in_app": {"is_read": True, "isRead": False}}
    )

    assert by_name == Notice(id="n", user_id="u", in_app=InApp(is_read=False))


def test_what_is_missing_is_told_by_its_public_name() -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(Notice).validate_python({"id": "n", "inApp": {"isRead": "perhaps"}})

    places = [error["loc"] for error in raised.value.errors()]
    assert places == [("userId",), ("inApp", "isRead")]


def test_names_that_two_fields_swap_stay_apart() -> None:
    adapter = TypeAdapter(Swapped)

    record = adapter.validate_python({"id": "s", "first": 1, "second": 2})

    assert (record.first, record.second) == (2, 1)
    assert adapter.dump_python(record) == {"id": "s", "second": 2, "first": 1}
    with pytest.raises(ValidationError, match="second"):
        adapter.validate_python({"id": "s", "first": 1})


def test_a_part_is_named_as_the_entity_around_it_wishes() -> None:
    both = Both(
        plain=Plain(id="p", in_app=InApp()),
        notice=Notice(id="n", user_id="u", in_app=InApp()),
        alone=InApp(),
    )

    shown = both.model_dump()

    assert shown["plain"]["in_app"] == {"is_read": False, "last_reading": None, "sub_items": []}
    assert shown["notice"]["inApp"] == BARE
    assert shown["alone"] == shown["plain"]["in_app"]
    assert Both.model_validate_json(both.model_dump_json()) == both


@pytest.fixture
async def client() -> Any:
    api = FastAPI()

    @api.post("/notices", response_model=Notice)
    async def post(given: Notice) -> Notice:
        assert given == NOTICE
        return given

    @api.get("/all", response_model=list[Notice])
    async def show() -> list[Notice]:
        return [NOTICE]

    @api.post("/plain")
    async def plain(given: Plain) -> Plain:
        return given

    async with AsyncClient(transport=ASGITransport(api), base_url="http://test") as made:
        yield made


async def test_fastapi_takes_and_gives_public_names(client: AsyncClient) -> None:
    answer = await client.post("/notices", json=PUBLIC)
    listed = await client.get("/all")
    plain = await client.post("/plain", json={"id": "p", "in_app": {"is_read": True}})

    assert answer.json() == PUBLIC
    assert listed.json() == [PUBLIC]
    assert plain.json() == {
        "id": "p",
        "in_app": {"is_read": True, "last_reading": None, "sub_items": []},
    }


async def test_openapi_shows_public_names_and_no_version(client: AsyncClient) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]

    public = {"id", "userId", "inApp", "olderOnes", "byDevice", "cost", "sentTo"}
    notices = [schema for name, schema in schemas.items() if name.startswith("Notice")]
    assert notices
    for notice in notices:
        assert set(notice["properties"]) == public
    assert {"readAt"} in [set(schema["properties"]) for schema in schemas.values()]
    assert not any("_version" in str(schema) for schema in schemas.values())
