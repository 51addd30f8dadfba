"""Files of Maven Central, each checked against the checksum in this folder.

The list fixes every version: nothing is resolved. Where only Maven reaches a repository (its
settings may name a mirror), Maven fetches the same files.
"""

import asyncio
import hashlib
import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from rightstore.clock import SYSTEM
from tests.servers import maven
from tests.servers.report import SetupError, megabytes, say
from tests.servers.together import together

CENTRAL = "https://repo1.maven.org/maven2/"
CHECKSUMS = Path(__file__).with_name("checksums.txt")
TOGETHER = 4
ATTEMPTS = 3
LARGE = 5_000_000


def known(file: Path = CHECKSUMS) -> dict[str, str]:
    """Return the checksum of every file, by its path in a repository of Maven."""
    pairs = (line.split() for line in file.read_text().splitlines() if line)
    return {path: checksum for checksum, path in pairs}


def check(file: Path, path: str, checksums: dict[str, str]) -> None:
    """Raise unless the file is, in every byte, the one that the list means by this path."""
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != checksums[path]:
        raise SetupError(
            f"{file} is not the file that {CHECKSUMS.name} means: its sha256 is {found}, not "
            f"{checksums[path]}; nothing was started: delete it if it is still there and try again"
        )


async def fetch(paths: Iterable[str], folder: Path, checksums: dict[str, str]) -> None:
    """Have all these files in the folder, right in every byte, or raise."""
    missing = []
    for path in paths:
        if (folder / path).exists():
            check(folder / path, path, checksums)
        else:
            missing.append(path)
    if missing:
        await _fetch_missing(missing, folder, checksums)


async def _fetch_missing(paths: list[str], folder: Path, checksums: dict[str, str]) -> None:
    began = SYSTEM.monotonic()
    say(f"downloading {len(paths)} files from {CENTRAL}")
    try:
        await _fetch_all(paths, folder, checksums)
    except httpx.HTTPError as failure:
        say(f"{CENTRAL} does not serve this machine ({failure}): trying Maven")
        paths = [path for path in paths if not (folder / path).exists()]
        await _fetch_with_maven(paths, folder, checksums)
    size = sum((folder / path).stat().st_size for path in paths)
    say(f"downloaded {megabytes(size)} in {SYSTEM.monotonic() - began:.1f} s")


async def _fetch_with_maven(paths: list[str], folder: Path, checksums: dict[str, str]) -> None:
    with TemporaryDirectory(dir=folder) as temporary:
        await maven.copy(paths, Path(temporary))
        for path in paths:
            _keep(Path(temporary, path), path, folder, checksums)


def _keep(file: Path, path: str, folder: Path, checksums: dict[str, str]) -> None:
    """Put a file that is whole and checked where it belongs."""
    check(file, path, checksums)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    file.rename(folder / path)


async def _fetch_all(paths: list[str], folder: Path, checksums: dict[str, str]) -> None:
    few = asyncio.Semaphore(TOGETHER)
    async with httpx.AsyncClient(base_url=CENTRAL, verify=certificates(), timeout=30) as client:

        async def one(path: str) -> None:
            async with few:
                await _fetch_one(client, path, folder, checksums)

        await together(one(path) for path in paths)


async def _fetch_one(
    client: httpx.AsyncClient, path: str, folder: Path, checksums: dict[str, str]
) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await _stream(client, path, part)
                break
            except httpx.TransportError:
                if attempt == ATTEMPTS:
                    raise
        _keep(part, path, folder, checksums)
    finally:
        part.unlink(missing_ok=True)


async def _stream(client: httpx.AsyncClient, path: str, part: Path) -> None:
    async with client.stream("GET", path) as answer:
        answer.raise_for_status()
        size = int(answer.headers.get("content-length", 0))
        if size > LARGE:
            say(f"  {Path(path).name} ({megabytes(size)})")
        with part.open("wb") as file:
            async for piece in answer.aiter_bytes():
                file.write(piece)


def certificates() -> ssl.SSLContext:
    """Return the certificates of the system with those of the usual environment variables."""
    context = ssl.create_default_context()
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        file = os.environ.get(name)
        if file and Path(file).is_file():
            context.load_verify_locations(file)
    return context
