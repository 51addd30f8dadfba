"""`import rightstore` is quick and loads no driver."""

import json
import subprocess
import sys
from pathlib import Path

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.py"
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
WITHOUT = """
import runpy, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {wanted}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Missing())
sys.argv = ["quickstart.py", "memory"]
runpy.run_path({quickstart!r}, run_name="__main__")
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


def test_an_application_in_memory_runs_without_any_driver() -> None:
    wanted = sorted(DRIVERS | {"sqlalchemy", "alembic"})
    command = [sys.executable, "-c", WITHOUT.format(wanted=wanted, quickstart=str(QUICKSTART))]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['t4'")
