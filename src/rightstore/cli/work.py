"""`rightstore work`."""

import asyncio
import signal
import sys
from collections.abc import Sequence

from rightstore.cli.option import Apps
from rightstore.cli.output import say
from rightstore.clock import SYSTEM
from rightstore.errors import UsageError
from rightstore.settings import Settings
from rightstore.stores.application import definitions
from rightstore.stores.definition import Rightstore
from rightstore.stores.work import work as do_work
from rightstore.telemetry import log


def work(apps: Apps = None) -> None:
    """Do what runs beside applications, until stopped: remove what has expired."""
    settings = Settings.load()
    found = definitions(apps or ())
    if not found:
        raise UsageError("no application is installed: name one as module:object")
    log.configure(settings.log.log_format, settings.log.log_level, sys.stderr)
    asyncio.run(_run(found, settings))


async def _run(found: Sequence[Rightstore], settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    await do_work(found, settings, SYSTEM, stopping)
    say("stopped")
