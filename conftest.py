"""The test harness: servers are started once a run, each test has a namespace, snippets are tests.

Where a store's URL is set (as `make test-servers` does), that server is used; otherwise the first
three are those of one embedded stack. REQUIRE_SERVERS=1 turns a missing server into a failure.
"""

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from sybil.integration.pytest import SybilItem
from tests.docs.snippet import collector, run

from rightstore.embedded.address import choose
from rightstore.embedded.home import Home
from rightstore.embedded.state import embedded_urls, read_state
from rightstore.settings import EMBEDDED, STORES
from rightstore.testing.namespace import namespace as namespace_of
from rightstore.testing.wait import until

TEST_HOME = "RIGHTSTORE_TEST_HOME"
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis_settings.load_profile("ci")
pytest_collect_file = collector()


class SharedStack:
    """One embedded stack for the whole run; the process that made it stops it."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="rightstore-test-")) / "home"
        with said_by(self.home).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rightstore", "up", "--stores-only"],
                env=os.environ | {"RIGHTSTORE_HOME": str(self.home)},
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """Stop its servers and remove its folder."""
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self.home.parent)


def said_by(home: Path) -> Path:
    """Return where the shared stack says what it does."""
    return home.parent / "up.log"


def given() -> dict[str, str]:
    """Return the URLs that the environment sets, by store."""
    urls = {store: os.environ.get(f"{store.upper()}_URL") for store in STORES}
    return {store: url for store, url in urls.items() if url}


def pytest_configure(config: pytest.Config) -> None:
    """Under xdist, start the stack in the process that outlives all workers."""
    is_controller = bool(getattr(config.option, "numprocesses", None))
    if is_controller and EMBEDDED - given().keys():
        shared = SharedStack()
        os.environ[TEST_HOME] = str(shared.home)
        config.add_cleanup(shared.stop)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the snippets of a document in their order, whatever order the tests are in."""
    places = [at for at, item in enumerate(items) if isinstance(item, SybilItem)]
    snippets = sorted(
        (items[at] for at in places), key=lambda item: (str(item.path), item.reportinfo()[1] or 0)
    )
    for at, snippet in zip(places, snippets, strict=True):
        items[at] = snippet


@pytest.fixture(scope="session")
def store_urls() -> Iterator[Mapping[str, str]]:
    """Where each store is that can be had in this run: URLs by store, secrets inside."""
    urls = given()
    if not EMBEDDED - urls.keys():
        yield urls
        return
    shared = None if TEST_HOME in os.environ else SharedStack()
    home = Path(os.environ[TEST_HOME]) if shared is None else shared.home
    try:
        yield embedded_when_ready(home) | urls
    finally:
        if shared is not None:
            shared.stop()


def embedded_when_ready(home: Path) -> dict[str, str]:
    """Return the URLs of the shared stack as soon as all of it serves."""
    stack = Home(home)

    def serves() -> bool:
        state = read_state(stack)
        said = said_by(home).read_text("utf-8")
        if "error: " in said:
            raise pytest.UsageError(f"the embedded stack did not start:\n{said}")
        return state is not None and state.phase == "ready"

    asyncio.run(until(serves, seconds=90, every=0.05))
    return embedded_urls(stack)


@pytest.fixture(autouse=True)
def collect(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the sockets that PyMongo forgets when it is closed while it connects (PYTHON-5867).

    Otherwise their warning fails some later test. Other leaks, of ours too, have other warnings.
    """
    if "mongodb" not in request.node.nodeid:
        yield
        return
    # Not before the end, or they are dropped where their warning counts.
    gc.disable()
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"unclosed <socket\.socket", ResourceWarning)
        gc.collect()
    gc.enable()


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    """A name of this test's own, valid in every store."""
    return namespace_of(request.node.nodeid)


@pytest.fixture(scope="module")
def document_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the commands of one document run, with a web port of its own."""
    folder = tmp_path_factory.mktemp("document")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIGHTSTORE_PORT", str(choose(set())))
        for variable in (*(f"{store.upper()}_URL" for store in STORES), "RIGHTSTORE_HOME"):
            patch.delenv(variable, raising=False)
        yield folder
        run("rightstore down", folder)
