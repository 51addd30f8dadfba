"""`rightstore status`."""

import asyncio
import sys
from dataclasses import asdict
from typing import Any

import typer

from rightstore.cli.option import AsJson
from rightstore.cli.output import busy, print_json, print_line, print_table
from rightstore.embedded.home import Home
from rightstore.embedded.state import State, read_state
from rightstore.errors import NotConfiguredError
from rightstore.runtime.health import Health, HealthReport
from rightstore.runtime.lifecycle import Opening
from rightstore.settings import STORES, Settings
from rightstore.telemetry import log
from rightstore.telemetry.alarm import Alarms
from rightstore.wiring import connections

UNAVAILABLE = 3


def status(*, as_json: AsJson = False) -> None:
    """Say how each store, process and alarm is."""
    settings = Settings.load()
    # What a log line would say is in the answer.
    log.configure("auto", "critical", sys.stderr)
    home = Home(settings.stack.home)
    state = read_state(home)
    alarms = Alarms()
    with busy("asking the stores"):
        report = asyncio.run(_check(settings, alarms))
    found = _record(settings, state, report, alarms)
    if as_json:
        print_json(found)
    else:
        _show(home, found)
    if report is None or any(one["status"] == "down" for one in found["stores"].values()):
        raise typer.Exit(UNAVAILABLE)


async def _check(settings: Settings, alarms: Alarms) -> HealthReport | None:
    """Ask every store; None when there is none to ask."""
    try:
        found, atlas = connections(settings)
    except NotConfiguredError:
        return None
    opened = [Opening(connection) for connection in found]
    try:
        return await Health(opened, alarms=alarms, patience=5.0, atlas=atlas).check()
    finally:
        await asyncio.gather(*(each.close() for each in opened))


def _record(
    settings: Settings, state: State | None, report: HealthReport | None, alarms: Alarms
) -> dict[str, Any]:
    stores = {store: _store(settings, store, report) for store in STORES}
    sounding = [*alarms.sounding(), *(state.alarms if state else ())]
    return {
        "status": report.status if report else "down",
        "stores": stores,
        "entities": _entities(report),
        "stack": state.as_record() if state else None,
        "alarms": [alarm.as_record() for alarm in sounding],
    }


def _entities(report: HealthReport | None) -> list[dict[str, str]]:
    """Return where each entity of each application lives, and where it wishes to."""
    placements = report.placements if report else {}
    return [
        {"application": application, **asdict(placement)}
        for application, placed in placements.items()
        for placement in placed
    ]


def _store(settings: Settings, store: str, report: HealthReport | None) -> dict[str, Any]:
    health = report.stores.get(store) if report else None
    if health is None:
        # Without PostgreSQL there is nothing to fall back to.
        return {"status": "fallback" if report and store != "postgres" else "down", "from": None}
    return {
        "status": health.status,
        "from": "url" if settings.url(store) else "embedded",
        "version": health.version,
        "latency_ms": round(health.latency * 1000, 1) if health.latency is not None else None,
        "error": health.error,
    }


def _show(home: Home, found: dict[str, Any]) -> None:
    print_table(
        ("store", "status", "from", "version", "ms", ""),
        (
            (
                store,
                one["status"],
                one["from"],
                one.get("version"),
                _text(one.get("latency_ms")),
                one.get("error")
                or ("PostgreSQL does its work" if one["status"] == "fallback" else ""),
            )
            for store, one in found["stores"].items()
        ),
    )
    for one in found["entities"]:
        if one["store"] != one["home"]:
            print_line(
                f"{one['application']} {one['entity']}: lives in {one['store']}, "
                f"its home is {one['home']}"
            )
    if found["stack"] is not None:
        _show_stack(home, found["stack"])
    elif any(one["status"] == "down" and one["from"] != "url" for one in found["stores"].values()):
        print_line(f"no stack runs in {home.path}: `rightstore up` starts one")
    for alarm in found["alarms"]:
        print_line(f"alarm {alarm['alarm']} ({alarm['subject']}): {alarm['detail']}")
        print_line(f"  {alarm['remedy']}")


def _show_stack(home: Home, stack: dict[str, Any]) -> None:
    print_line(f"\nstack {stack['phase']} in {home.path}, pid {stack['pid']}")
    print_table(
        ("process", "status", "pid", "restarts", "since", "log"),
        (
            (
                one["name"],
                one["status"],
                _text(one["pid"]),
                _text(one["restarts"]),
                one["since"][:19],
                one["log"],
            )
            for one in stack["programs"]
        ),
    )
    for note in stack["notes"]:
        print_line(f"note: {note}")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
