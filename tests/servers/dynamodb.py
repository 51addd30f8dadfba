"""DynamoDB Local from Maven Central, in memory.

It cannot be told an address: unlike the other servers it listens on all addresses of the machine.
"""

from pathlib import Path

import httpx

from tests.servers import java
from tests.servers.download import known
from tests.servers.folder import cache
from tests.servers.port import free_ports
from tests.servers.run import Environment, Run, password

MAIN = "software.amazon.dynamodb.services.local.main.ServerRunner"
REGION = "eu-west-1"
OPTIONS = ["-inMemory", "-sharedDb", "-disableTelemetry"]
QUESTION = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.ListTables",
}


def artifacts() -> list[str]:
    """Return what to download: all of the list but the archives of OpenSearch."""
    return [path for path in known() if not path.endswith(".zip")]


async def start(run: Run) -> Environment:
    """Start it and return how to reach it; it takes any key."""
    _, home = java.newest()
    folder = run.folder.place("dynamodb")
    (port,), key, secret = free_ports(1), password(), password()
    child = await run.processes.start(
        "dynamodb",
        [str(home / "bin/java"), *_arguments(folder), "-port", str(port)],
        env={"HOME": str(folder), "DDB_LOCAL_TELEMETRY": "0"},
    )
    headers = QUESTION | {"Authorization": _signature(key)}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=10) as client:

        async def answers() -> bool:
            return await _lists_tables(client, f"http://127.0.0.1:{port}")

        await run.processes.ready(child, answers)
    return {"DYNAMODB_URL": f"http://{key}:{secret}@127.0.0.1:{port}?region={REGION}"}


def _arguments(folder: Path) -> list[str]:
    files = [cache() / path for path in artifacts()]
    natives = {str(file.parent) for file in files if file.suffix == ".so"}
    jars = [str(file) for file in files if file.suffix == ".jar"]
    return [
        "-Xmx256m",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.io.tmpdir={folder}",
        f"-Djava.library.path={':'.join(natives)}",
        "-cp",
        ":".join(jars),
        MAIN,
        *OPTIONS,
    ]


def _signature(key: str) -> str:
    """Return a header in the form of a signed request: the key is read, the signature is not."""
    scope = f"{key}/20260101/{REGION}/dynamodb/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


async def _lists_tables(client: httpx.AsyncClient, url: str) -> bool:
    try:
        answer = await client.post(url, content=b"{}")
    except httpx.TransportError:
        return False
    return answer.is_success
