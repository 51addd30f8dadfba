"""Processes: they end with the program, however it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.servers.process import Processes, attempt
from tests.servers.program import Interrupt, _command, _interruptible
from tests.servers.report import SetupError

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.servers.process import Processes

async def main():
    child = await Processes(Path(sys.argv[1])).start("server", ["sleep", "600"])
    print(child.process.pid, flush=True)
    await child.process.wait()

asyncio.run(main())
"""


def content(file: Path) -> str:
    return file.read_text()


async def has_a_line(file: Path) -> bool:
    return content(file).endswith("\n")


def test_a_server_ends_when_the_program_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        server = psutil.Process(int(program.stdout.readline()))

        program.kill()

        server.wait(timeout=30)


async def test_a_server_is_stopped_with_all_of_its_session(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    script = "sleep 600 & echo $!; wait"
    child = await processes.start("server", ["sh", "-c", script])
    await processes.ready(child, lambda: has_a_line(child.log))
    grandchild = psutil.Process(int(content(child.log)))

    await processes.stop()

    assert child.process.returncode == -signal.SIGTERM
    await asyncio.to_thread(grandchild.wait, 30)


async def test_a_server_that_ends_at_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    child = await processes.start("server", ["sh", "-c", "echo no space; exit 3"])

    async def never() -> bool:
        return False

    with pytest.raises(SetupError, match=r"server ended at start \(exit code 3\).*\nno space"):
        await processes.ready(child, never)
    await processes.stop()


async def test_a_command_sees_no_variable_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")

    _, output = await attempt(["env"], env={"OURS": "yes"})

    assert "PGPORT" not in output
    assert "OURS=yes" in output


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("true", 0), ("kill -9 $$", 137)])
async def test_the_exit_code_is_that_of_the_command(script: str, code: int) -> None:
    assert await _command(["sh", "-c", script], {}, []) == code


async def test_a_command_that_is_missing_is_code_127() -> None:
    assert await _command(["/no/such/command"], {}, []) == 127


async def test_the_first_signal_ends_the_command_and_then_the_work(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f"trap 'echo yes > {told}; exit 0' TERM; kill -TERM {os.getpid()}; sleep 600 & wait"

    with pytest.raises(Interrupt) as interrupt:
        async with _interruptible() as received:
            await _command(["sh", "-c", script], {}, received)

    assert interrupt.value.number == signal.SIGTERM
    assert content(told) == "yes\n"
