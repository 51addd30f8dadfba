"""`rightstore schema plan`, `apply` and `check`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from rightstore.cli.option import Apps, AsJson
from rightstore.cli.output import busy, print_json, print_line, print_table, say
from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.patterns.schema.apply import Applied, Permission, Progress
from rightstore.patterns.schema.plan import Plan
from rightstore.ports.schema import Step
from rightstore.settings import Settings
from rightstore.stores.application import definitions
from rightstore.stores.definition import Rightstore
from rightstore.stores.schema import as_owner

TO_DO = 1
commands = typer.Typer(
    help="Make room in the stores for what applications declare.", no_args_is_help=True
)
AllowDestructive = Annotated[
    bool, typer.Option("--allow-destructive", help="Also do what loses data or a promise.")
]
Expand = Annotated[
    bool, typer.Option("--expand", help="Only what the code that runs now does not notice.")
]


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of the plan of one application."""

    application: str
    applied: Applied


@commands.command("plan")
def plan(apps: Apps = None, *, as_json: AsJson = False) -> None:
    """Show what `apply` would do; nothing is changed."""
    _show(_planned(apps), as_json=as_json)


@commands.command("check")
def check(apps: Apps = None, *, as_json: AsJson = False) -> None:
    """Show the same, and end with 1 if there is anything to do."""
    found = _planned(apps)
    _show(found, as_json=as_json)
    if any(made.steps for made in found.values()):
        raise typer.Exit(TO_DO)


@commands.command("apply")
def apply(
    apps: Apps = None,
    *,
    allow_destructive: AllowDestructive = False,
    expand: Expand = False,
    as_json: AsJson = False,
) -> None:
    """Do it, one process at a time; what was done already is not done again."""
    permission = Permission(expand_only=expand, destructive=allow_destructive)
    settings = Settings.load()
    done = [asyncio.run(_apply(each, settings, permission)) for each in _definitions(apps)]
    if as_json:
        print_json([_record_of(each) for each in done])
    for each in done:
        _report(each, as_json=as_json)
    for each in done:
        if each.applied.error is not None:
            raise each.applied.error


def _definitions(apps: Sequence[str] | None) -> list[Rightstore]:
    found = definitions(apps or ())
    if not found:
        raise UsageError("no application is installed: name one as module:object")
    return found


def _planned(apps: Sequence[str] | None) -> dict[str, Plan]:
    settings = Settings.load()
    with busy("asking the stores"):
        return {each.name: asyncio.run(_plan(each, settings)) for each in _definitions(apps)}


async def _plan(definition: Rightstore, settings: Settings) -> Plan:
    async with as_owner(definition, settings, SYSTEM) as room:
        return await room.plan()


async def _apply(definition: Rightstore, settings: Settings, permission: Permission) -> _Done:
    async with as_owner(definition, settings, SYSTEM, upgraded=_upgraded(definition.name)) as room:
        applied = await room.apply(permission, report=_progress(definition.name), waiting=say)
    return _Done(definition.name, applied)


def _progress(application: str) -> Callable[[Progress], None]:
    def tell(now: Progress) -> None:
        if now.state != "done":
            step = f"{now.step.store} {now.step.subject}: {now.step.action}"
            failed = " FAILED" if now.state == "failed" else ""
            say(f"{application} {now.number}/{now.total} {step}{failed}")

    return tell


def _upgraded(application: str) -> Callable[[str, int], None]:
    return lambda entity, done: say(f"{application} {entity}: {done} records upgraded")


def _show(found: dict[str, Plan], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {"application": name, "steps": [_record(step) for step in made.steps]}
                for name, made in found.items()
            ]
        )
        return
    for name, made in found.items():
        count = len(made.steps)
        print_line(f"{name}: {f'{count} to do' if count else 'everything is there'}")
        if count:
            print_table(
                ("store", "subject", "step", "phase", ""),
                ((it.store, it.subject, it.action, it.phase, _mark(it)) for it in made.steps),
            )


def _report(each: _Done, *, as_json: bool) -> None:
    done, left = len(each.applied.done), len(each.applied.left)
    line = f"{each.application}: {done} done" if done or left else f"{each.application}: "
    if not done and not left:
        line += "everything was there"
    if left:
        line += f", {left} not: what is done stays; apply again for the rest"
    (say if as_json else print_line)(line)


def _mark(step: Step) -> str:
    return "destructive" if step.destructive else ""


def _record(step: Step) -> dict[str, Any]:
    return {
        "store": step.store,
        "subject": step.subject,
        "action": step.action,
        "phase": step.phase,
        "destructive": step.destructive,
    }


def _record_of(each: _Done) -> dict[str, Any]:
    error = each.applied.error
    return {
        "application": each.application,
        "done": [_record(step) for step in each.applied.done],
        "left": [_record(step) for step in each.applied.left],
        "error": str(error) if error else None,
    }
