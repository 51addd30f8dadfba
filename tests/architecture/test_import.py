"""`import rightstore` is quick and loads no driver."""

import json
import subprocess
import sys

DRIVERS = {"asyncpg", "pymongo", "redis", "aiobotocore", "botocore", "opensearchpy", "aio_pika"}
HEAVY = {"fastapi", "uvicorn", "typer", "rich", "pydantic", "structlog", "prometheus_client"}
LIMIT = 0.150
ASK = """
import json, sys, time
began = time.perf_counter()
import rightstore
took = time.perf_counter() - began
print(json.dumps([took, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def ask() -> tuple[float, set[str]]:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    took, modules = json.loads(done.stdout)
    return took, set(modules)


def test_the_import_loads_no_driver_and_nothing_heavy() -> None:
    _, modules = ask()

    assert modules & (DRIVERS | HEAVY) == set()


def test_the_import_takes_under_150_ms() -> None:
    best = min(ask()[0] for _ in range(5))

    assert best < LIMIT
