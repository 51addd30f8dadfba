"""The portability report: every kind of store, every obstacle, the remedy."""

from types import ModuleType

from rightstore.model.declaration import Declaration
from rightstore.model.entity import Entity
from rightstore.model.field import Field
from rightstore.model.wish import Index, Search
from rightstore.ports.portability import Obstacle
from rightstore.stores.definition import Rightstore
from rightstore.stores.portability import EntityReport, Kind, examine


class Account(Entity, home="dynamodb", indexes=[Index("email", unique=True)]):
    id: Field[str]
    email: Field[str]


class Invoice(Entity, group="relational"):
    id: Field[str]


class Card(Entity, search=Search("name")):
    id: Field[str]
    name: Field[str]


class Stock(Entity, key="sku", home="mongodb", group="inventory"):
    sku: Field[str]


class Hold(Entity, home="mongodb", group="inventory"):
    id: Field[str]


def reports(*kinds: type[Entity]) -> dict[str, EntityReport]:
    module = ModuleType("domain")
    vars(module).update({kind.__name__: kind for kind in kinds})
    report = Rightstore("shop", module).portability()
    return {entity.entity: entity for entity in report.entities}


def test_a_unique_index_keeps_an_entity_out_of_dynamodb_only() -> None:
    account = reports(Account)["Account"]

    assert [store for store, found in account.obstacles.items() if found] == ["dynamodb"]
    assert account.obstacles["dynamodb"][0].subject == "Index(email)"
    assert not account.fits_home


def test_what_is_written_with_tables_stays_in_postgres() -> None:
    invoice = reports(Invoice)["Invoice"]

    assert invoice.fits_home
    for store in ("mongodb", "dynamodb"):
        assert [each.subject for each in invoice.obstacles[store]] == ["group relational"]


def test_a_wish_that_is_not_built_is_in_the_report() -> None:
    card = reports(Card)["Card"]

    assert card.unbuilt == ("Search(…)",)
    assert not card.fits_home


def test_a_name_that_is_too_long_to_be_searched_in_postgres_is_told_early() -> None:
    class Long(Entity, name="L" + 36 * "o", search=Search("name")):
        id: Field[str]
        name: Field[str]

    found = reports(Card, Long, Invoice)

    assert found["Card"].search == {"postgres": [], "opensearch": ()}
    [obstacle] = found["L" + 36 * "o"].search["postgres"]
    assert "up to 36 letters" in obstacle.reason
    assert found["L" + 36 * "o"].search["opensearch"] == ()
    assert found["Invoice"].search == {}


def test_a_group_of_two_needs_transactions() -> None:
    def judge(declaration: Declaration) -> tuple[Obstacle, ...]:
        return ()

    module = ModuleType("domain")
    vars(module).update(Stock=Stock, Hold=Hold)
    declarations = Rightstore("shop", module).declarations

    report = examine("shop", declarations, lambda _: Kind(judge, frozenset()), searchers={})

    assert {each.entity for each in report.entities if not each.fits_home} == {"Stock", "Hold"}
    assert not report.is_well
