"""One web process from its settings: applications, connections, health, edge, and the listening."""

import asyncio
from collections.abc import Sequence

from rightstore.embedded.home import Home
from rightstore.embedded.state import glance
from rightstore.runtime.health import Health
from rightstore.runtime.lifecycle import Opening
from rightstore.settings import Settings
from rightstore.telemetry import trace
from rightstore.telemetry.alarm import Alarms
from rightstore.web.application import Application
from rightstore.web.assemble import assemble
from rightstore.web.edge import EdgeLimits
from rightstore.web.server import new_loop, serve
from rightstore.wiring import application, connections, installed_applications


def run(settings: Settings, names: Sequence[str], host: str, port: int) -> None:
    """Serve these applications, all that are installed without any, until a signal ends it."""
    applications = [
        Application.found(name, application(name)) for name in names or installed_applications()
    ]
    tracing = trace.configure()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(settings, applications, host, port))
    finally:
        if tracing is not None:
            tracing.close()


async def _serve(
    settings: Settings, applications: Sequence[Application], host: str, port: int
) -> None:
    home, alarms = Home(settings.stack.home), Alarms()
    found, atlas = connections(settings)
    opened = [Opening(connection) for connection in found]

    def supervisor_alarms() -> list[dict[str, str]]:
        state = glance(home)
        return [alarm.as_record() for alarm in state.alarms] if state else []

    program = assemble(
        applications,
        health=Health(opened, alarms=alarms, atlas=atlas),
        alarms=alarms,
        foreign_alarms=supervisor_alarms,
        limits=EdgeLimits(settings.web.body_limit, settings.web.request_timeout),
    )
    try:
        await serve(program, host=host, port=port, grace=settings.web.grace)
    finally:
        await asyncio.gather(*(connection.close() for connection in opened))
