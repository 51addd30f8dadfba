"""`rightstore serve`."""

import sys

from rightstore.cli.option import Apps, Host, Port
from rightstore.settings import Settings
from rightstore.telemetry import log


def serve(apps: Apps = None, *, host: Host = None, port: Port = None) -> None:
    """Serve applications over HTTP, on the stores given by URL or the stack that is up."""
    from rightstore.web.run import run  # noqa: PLC0415 - FastAPI takes 0.4 s, only this needs it

    settings = Settings.load()
    log.configure(settings.log.log_format, settings.log.log_level, sys.stderr)
    run(settings, apps or (), host or settings.web.host, port or settings.web.port)
