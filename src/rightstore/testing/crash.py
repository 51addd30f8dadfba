"""Find every failpoint that a program passes, and let it die at each. It checks no state: you do.

for hit in await survey(command):
    await crash(command, hit)
    ...  # start again, and look at what is there
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rightstore.failpoint import EXIT_CODE

ORDERS = ("CRASH_AT", "CRASH_COUNT")


async def survey(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, seconds: float = 60.0
) -> tuple[str, ...]:
    """Run the program to its end once, and return its visits in order, as `crash` takes them.

    AssertionError when it fails, takes too long or passes no failpoint.
    """
    with TemporaryDirectory() as folder:
        log = Path(folder, "visits")
        await _run(command, environment, ("CRASH_COUNT", str(log)), seconds=seconds, code=0)
        hits = tuple(_hits(log))
    if not hits:
        raise AssertionError(f"{command[0]} passed no failpoint: there is nothing to crash at.")
    return hits


async def crash(
    command: Sequence[str],
    hit: str,
    *,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60.0,
) -> None:
    """Run the program and see it die at this visit; AssertionError when it ends in another way."""
    await _run(command, environment, ("CRASH_AT", hit), seconds=seconds, code=EXIT_CODE)


def _hits(log: Path) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for name in log.read_text().splitlines() if log.exists() else ():
        seen[name] += 1
        yield f"{name}:{seen[name]}"


async def _run(
    command: Sequence[str],
    environment: Mapping[str, str] | None,
    order: tuple[str, str],
    *,
    seconds: float,
    code: int,
) -> None:
    given = os.environ if environment is None else environment
    variables = {name: given[name] for name in given if name not in ORDERS} | dict([order])
    process = await asyncio.create_subprocess_exec(
        *command,
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
    except TimeoutError:
        raise AssertionError(f"{command[0]} did not end within {seconds:g} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    if process.returncode != code:
        tail = output.decode(errors="replace")[-2000:]
        raise AssertionError(
            f"{command[0]} ended with {process.returncode} where {code} was due:\n{tail}"
        )
