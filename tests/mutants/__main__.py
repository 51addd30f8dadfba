"""`python -m tests.mutants [NAME …]`: run each law's test without and with its seeded fault.

A test that does not pass without the fault, or was skipped, proves nothing: it counts as missed.
Exit code 1 when anything is missed.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.catalog import MUTANTS, Seeded

AT_ONCE = 2


def main(names: Sequence[str]) -> int:
    """Print the matrix of laws and mutants; the last line counts."""
    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        say(f"there is no mutant {', '.join(sorted(unknown))}")
        return 2
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    caught = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for mutant, verdict in zip(chosen, pool.map(judge, chosen), strict=True):
            caught += verdict == "caught"
            say(f"{mutant.law:4} {mutant.name:24} {mutant.test:40} {mutant.select:18} {verdict}")
    say(f"mutants: {caught} caught, {len(chosen) - caught} missed")
    return 0 if caught == len(chosen) else 1


def judge(mutant: Seeded) -> str:
    """Return what became of a mutant, in a few words."""
    passed, failed = run(mutant, None)
    if failed or not passed:
        return f"missed: {passed} passed, {failed} failed without it"
    return "caught" if run(mutant, mutant.name)[1] else "missed"


def run(mutant: Seeded, name: str | None) -> tuple[int, int]:
    """Run the test, with the fault when it is named; return how many passed and failed."""
    environment = {key: value for key, value in os.environ.items() if key != "MUTANT"}
    environment["RIGHTSTORE_TESTING"] = "1"
    if name:
        environment["MUTANT"] = name
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", mutant.test]
    command += ["-x"] if name else []
    command += ["-k", mutant.select] if mutant.select else []
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    closing = done.stdout.strip().rpartition("\n")[2]
    passed, failed = (re.search(rf"(\d+) {word}", closing) for word in ("passed", "failed"))
    return int(passed[1]) if passed else 0, int(failed[1]) if failed else 0


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - it is a program


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
