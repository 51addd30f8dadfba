"""Run the embedded stack of one folder as a program of its own: `supervise.py HOME STORE...`.

Prints "started" when all is ready, and ends then if ONCE is set; a wrong configuration is one line
and exit code 2, an unavailable store one line and exit code 3, as with the command line.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from rightstore.clock import SYSTEM
from rightstore.embedded.home import Home
from rightstore.embedded.stack import Plan, Stack
from rightstore.errors import StoreError, UsageError
from rightstore.wiring import Hands


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(home: str, stores: list[str]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    given = os.environ.get("RIGHTSTORE_DOCUMENT_SERVER")
    plan = Plan(frozenset(stores), document_server=Path(given) if given else None)
    stack = Stack(Home(home), plan, Hands(SYSTEM), report=say)

    def started() -> None:
        say("started")
        if os.environ.get("ONCE"):
            stopping.set()

    await stack.run(stopping, started)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2:]))
    except (UsageError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(3 if isinstance(error, StoreError) else 2)
