"""The command line: `python -m tests.servers run|up|install`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from tests.servers.catalog import SERVERS, install
from tests.servers.program import Interrupt, run, up
from tests.servers.report import SetupError, say

DESCRIPTION = """\
Real servers for the tests, each on a free port of the loopback interface, with random passwords and
data that is deleted at the end: PostgreSQL with a replica, Redis, a Redis Cluster, RabbitMQ,
OpenSearch, DynamoDB Local (which cannot be told an address: it listens on all) and a server of the
MongoDB protocol.
"""
VARIABLES = """\
The command of `run` sees POSTGRES_URL, POSTGRES_REPLICA_URL, POSTGRES_BIN, POSTGRES_DATA,
POSTGRES_REPLICA_DATA, REDIS_URL, REDIS_CLUSTER_URL, RABBITMQ_URL, OPENSEARCH_URL, DYNAMODB_URL,
MONGODB_URL and REQUIRE_SERVERS=1. Files are below .rightstore/servers (RIGHTSTORE_HOME changes it).
Exit codes: that of the command, 1 if a server does not come up, 2 for a wrong command line or a
package that only root can install, 128 + number if it was ended by a signal.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    options = parse(arguments)
    try:
        match options.verb:
            case "run":
                return asyncio.run(run(options.only, options.command))
            case "up":
                return asyncio.run(up(options.only))
            case _:
                asyncio.run(install(options.only))
                return 0
    except SetupError as failure:
        say(str(failure))
        return failure.code
    except Interrupt as interrupt:
        return 128 + interrupt.number


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the verb, the servers and, for `run`, the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.servers", description=DESCRIPTION, epilog=VARIABLES
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="run|up|install")
    helps = {
        "run": "start them, run a command with their URLs, stop them",
        "up": "start them and keep them until Ctrl-C; URLs go to .rightstore/servers/env",
        "install": "download and install what they need, start nothing",
    }
    for verb, text in helps.items():
        one = verbs.add_parser(verb, help=text, description=text, epilog=VARIABLES)
        one.add_argument(
            "--only",
            type=_names,
            default=list(SERVERS),
            metavar="NAME,…",
            help=f"not all of them but these: {', '.join(SERVERS)}",
        )
        if verb == "run":
            one.add_argument("command", nargs="+", metavar="-- COMMAND", help="what to run")
    return parser.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in SERVERS:
            raise argparse.ArgumentTypeError(f"no server {name!r}; there are {', '.join(SERVERS)}")
    return [name for name in SERVERS if name in names]


if __name__ == "__main__":
    # The drivers complain of every server that is not up yet.
    logging.disable()
    sys.exit(main())
