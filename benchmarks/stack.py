"""Where the stores are: those of the environment, else the servers of an embedded stack."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rightstore.embedded.home import Home
from rightstore.embedded.state import embedded_urls, read_state
from rightstore.settings import EMBEDDED
from rightstore.testing.wait import until

PATIENCE = 90


def given(stores: Sequence[str]) -> dict[str, str]:
    """Return the URLs that the environment sets, by store."""
    urls = {store: os.environ.get(f"{store.upper()}_URL") for store in stores}
    return {store: url for store, url in urls.items() if url}


@asynccontextmanager
async def servers(stores: Sequence[str]) -> AsyncIterator[Mapping[str, str]]:
    """Give the URLs of these stores that can be had; start the embedded ones if one is missing."""
    urls = given(stores)
    if not (EMBEDDED & set(stores)) - urls.keys():
        yield urls
        return
    with TemporaryDirectory(prefix="rightstore-bench-") as folder:
        home = Home(Path(folder) / "home")
        stack = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
            [sys.executable, "-m", "rightstore", "up", "--stores-only"],
            env=os.environ | {"RIGHTSTORE_HOME": str(home.path)},
            stdout=subprocess.DEVNULL,
        )
        try:
            await until(lambda: _is_ready(home, stack), seconds=PATIENCE, every=0.05)
            found = embedded_urls(home)
            yield {store: found[store] for store in stores if store in found} | urls
        finally:
            stack.terminate()
            stack.wait(30)


def _is_ready(home: Home, stack: "subprocess.Popen[bytes]") -> bool:
    if stack.poll() is not None:
        raise SystemExit("the embedded stack did not start: see above")
    state = read_state(home)
    return state is not None and state.phase == "ready"
