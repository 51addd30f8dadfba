"""OpenSearch from Maven Central: its core only, without the modules that the full archive has."""

import sys
from pathlib import Path

import httpx

from tests.servers import java
from tests.servers.folder import account, cache, give
from tests.servers.port import free_ports
from tests.servers.process import finish
from tests.servers.run import Environment, Run

ARTIFACT = "org/opensearch/distribution/integ-test-zip/opensearch/{0}/opensearch-{0}.zip"
VERSIONS = {21: "3.3.2", 17: "2.19.4"}
# The quick compiler only: a start takes half the time of both cores.
OPTIONS = "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1"


def artifacts() -> list[str]:
    """Return what to download: the newest version that the Java here can run."""
    return [ARTIFACT.format(_version(java.newest()[0]))]


async def start(run: Run) -> Environment:
    """Unpack it, start one node and return how to reach it."""
    release, home = java.newest()
    # It refuses to run as root, and needs no user of its own.
    owner = account("nobody")
    folder = run.folder.place("opensearch", account=owner)
    archive = str(cache() / artifacts()[0])
    await finish([sys.executable, "-m", "zipfile", "-e", archive, str(folder)])
    program = _prepare(folder, owner)
    port, transport_port = free_ports(2)
    settings = {
        "http.port": port,
        "transport.port": transport_port,
        "network.host": "127.0.0.1",
        "discovery.type": "single-node",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "path.data": folder / "data",
        "path.logs": folder / "log",
    }
    command = [
        "/bin/bash",
        str(program),
        *(f"-E{name}={value}" for name, value in settings.items()),
    ]
    env = {"HOME": str(folder), "OPENSEARCH_JAVA_HOME": str(home), "OPENSEARCH_JAVA_OPTS": OPTIONS}
    env["OPENSEARCH_TMPDIR"] = str(folder / "temporary")
    name = f"opensearch {_version(release)}"
    child = await run.processes.start(name, command, account=owner, env=env)
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:

        async def answers() -> bool:
            return await _is_healthy(client)

        await run.processes.ready(child, answers)
    return {"OPENSEARCH_URL": url}


def _version(release: int) -> str:
    return next(version for least, version in VERSIONS.items() if release >= least)


def _prepare(folder: Path, owner: str | None) -> Path:
    """Give what was unpacked to its user and return the program that starts it."""
    (unpacked,) = folder.glob("opensearch-*")
    for program in unpacked.glob("bin/*"):
        program.chmod(0o755)
    (unpacked / "logs").mkdir(exist_ok=True)
    (folder / "temporary").mkdir()
    give(folder, owner)
    return unpacked / "bin/opensearch"


async def _is_healthy(client: httpx.AsyncClient) -> bool:
    try:
        answer = await client.get("/_cluster/health", params={"wait_for_status": "green"})
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json()["status"] == "green"
