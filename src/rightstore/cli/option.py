"""Options that several commands share."""

from typing import Annotated

import typer

Apps = Annotated[
    list[str] | None,
    typer.Argument(
        help="Applications, each by entry point or as module:object; none: all installed.",
        show_default=False,
    ),
]
Host = Annotated[
    str | None, typer.Option(help="Address to listen on.  [RIGHTSTORE_HOST, 127.0.0.1]")
]
Port = Annotated[
    int | None, typer.Option(help="Port to listen on.  [RIGHTSTORE_PORT, 8008]", min=1, max=65535)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
