"""`rightstore check`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer

from rightstore.cli.option import Apps, AsJson
from rightstore.cli.output import print_json, print_line, print_table
from rightstore.errors import UsageError
from rightstore.settings import Settings
from rightstore.stores.application import definitions
from rightstore.stores.portability import EntityReport, Report
from rightstore.wiring import search_store

FAILED = 1


def check(apps: Apps = None, *, as_json: AsJson = False) -> None:
    """Say which stores can hold each entity, why not the others, and what to change."""
    searcher = search_store(Settings.load())
    reports = [found.portability() for found in definitions(apps or ())]
    if not reports:
        raise UsageError("no application is installed: name one as module:object")
    if as_json:
        print_json([_record(report, searcher) for report in reports])
    else:
        for report in reports:
            _show(report, searcher)
    if not all(report.is_well for report in reports):
        raise typer.Exit(FAILED)


def _record(report: Report, searcher: str) -> dict[str, Any]:
    return {**asdict(report), "ok": report.is_well, "search_store": searcher}


def _show(report: Report, searcher: str) -> None:
    print_line(f"{report.application}: {_verdict(report)}")
    stores = list(report.entities[0].obstacles) if report.entities else []
    print_table(
        ("entity", "home", *stores),
        (
            (each.entity, each.home, *("no" if each.obstacles[store] else "ok" for store in stores))
            for each in report.entities
        ),
    )
    for each in report.entities:
        for line in (*_explain(each), *_searched(each, searcher)):
            print_line(line)
    for escape in report.escapes:
        print_line(f"native {escape.client} ({escape.place}): {escape.why}")


def _verdict(report: Report) -> str:
    stuck = [each.entity for each in report.entities if not each.fits_home]
    if stuck:
        return f"{', '.join(stuck)} cannot live at home"
    return "every entity can live at home"


def _explain(entity: EntityReport) -> Iterator[str]:
    """Yield a line for each obstacle, with the remedy below it."""
    for wish in entity.unbuilt:
        yield f"{entity.entity}: {wish} is not built yet"
        yield "  leave it out until it is"
    for store, obstacles in entity.obstacles.items():
        for obstacle in obstacles:
            yield f"{entity.entity} in {store}: {obstacle.subject}: {obstacle.reason}"
            yield f"  {obstacle.remedy}"


def _searched(entity: EntityReport, searcher: str) -> Iterator[str]:
    """Yield where it is searched, and what is in the way there."""
    if not entity.search:
        return
    yield f"{entity.entity}: with these settings {searcher} searches it"
    for obstacle in entity.search[searcher]:
        yield f"{entity.entity} searched by {searcher}: {obstacle.subject}: {obstacle.reason}"
        yield f"  {obstacle.remedy}"
