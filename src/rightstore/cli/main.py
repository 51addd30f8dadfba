"""The program `rightstore`: its commands, and which exit code an error has.

0 it worked · 1 it failed · 2 the command or the configuration is wrong · 3 a store is unavailable.
"""

import os
import sys
from contextlib import suppress

import typer
from typer.exceptions import Abort, TyperException

from rightstore.cli import check, config, doctor, schema, serve, status, up, version, work
from rightstore.cli.output import say
from rightstore.errors import RightstoreError, StoreError, UsageError

FAILED, USAGE, UNAVAILABLE, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="rightstore",
    help="Declare your entities once; each lives in the store that suits it.",
    epilog="Exit codes: 0 ok, 1 failed, 2 wrong command or setting, 3 a store is unavailable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("down")(up.down)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("serve")(serve.serve)
app.command("work")(work.work)
app.add_typer(schema.commands, name="schema")
app.command("check")(check.check)
app.command("config")(config.config)
app.command("version")(version.version)


def run() -> None:
    """Run the command line; every error of ours, and of the command, is one line and a code."""
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except RightstoreError as error:
        say(f"error: {error}")
        sys.exit(exit_code(error))
    except TyperException as error:
        if message := error.format_message().rstrip(".?"):  # none: the help has been printed
            say(f"error: {message}. See `rightstore --help`.")
        sys.exit(USAGE)
    except (Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except OSError as error:
        _give_up_output()
        if not isinstance(error, BrokenPipeError):
            say(f"error: the answer cannot be written ({error.strerror})")
        sys.exit(FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _give_up_output() -> None:
    """Let nothing more be written at exit to where nothing can be written."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def exit_code(error: RightstoreError) -> int:
    """Return the exit code that the documentation promises for this error."""
    if isinstance(error, UsageError):
        return USAGE
    return UNAVAILABLE if isinstance(error, StoreError) else FAILED
