"""`rightstore doctor`."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, replace

import typer

from rightstore.cli.option import AsJson
from rightstore.cli.output import busy, print_json, print_line, print_table
from rightstore.errors import NotConfiguredError, StoreError, UsageError
from rightstore.ports.checkup import Finding
from rightstore.runtime.machine import examine_machine, examine_port
from rightstore.settings import ENV_FILE, Settings
from rightstore.wiring import examine, is_running, targets


def doctor(*, as_json: AsJson = False) -> None:
    """Look at this machine and at every store; name the remedy of each finding."""
    settings = Settings.load()
    home = settings.stack.home
    findings = examine_machine(home, (ENV_FILE, home / "secrets.json"))
    if not is_running(settings):
        findings.append(examine_port(settings.web.host, settings.web.port))
    with busy("asking the stores"):
        of_stores, unavailable = asyncio.run(_stores(settings))
    findings += of_stores
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    raise typer.Exit(_code(findings, unavailable=unavailable))


async def _stores(settings: Settings) -> tuple[list[Finding], bool]:
    """Examine the stores one by one; a store that cannot be reached is a finding."""
    try:
        found = targets(settings)
    except NotConfiguredError as error:
        return [Finding("stores", "error", str(error))], True
    findings: list[Finding] = []
    unavailable = False
    for store, target in found.items():
        try:
            of_store = await examine(target)
        except (StoreError, UsageError) as error:
            unavailable = True
            of_store = [Finding("reachable", "error", str(error))]
        findings += [replace(finding, subject=f"{store} {finding.subject}") for finding in of_store]
    return findings, unavailable


def _show(findings: Iterable[Finding]) -> None:
    print_table(
        ("", "subject", "found"), ((item.level, item.subject, item.message) for item in findings)
    )
    unwell = [finding for finding in findings if finding.level != "ok"]
    for finding in unwell:
        if finding.remedy:
            print_line(f"{finding.subject}: {finding.remedy}")
    print_line(f"{len(unwell)} to look at" if unwell else "all is well")


def _code(findings: Iterable[Finding], *, unavailable: bool) -> int:
    if unavailable:
        return 3
    return 1 if any(finding.level == "error" for finding in findings) else 0
