"""Fetches files with Maven, for machines where only its settings lead to a repository."""

import os
import shutil
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from tests.servers import package
from tests.servers.folder import write
from tests.servers.process import finish

DEPENDENCY = """\
<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
<version>{version}</version><type>{type}</type></dependency>
"""
PROJECT = """\
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>rightstore</groupId><artifactId>servers</artifactId><version>1</version>
<dependencies>
{dependencies}</dependencies></project>
"""


async def copy(paths: list[str], folder: Path) -> None:
    """Copy these files into a folder, in the layout of a repository."""
    package.have({"maven": lambda: shutil.which("mvn") is not None})
    with TemporaryDirectory() as work:
        project = write(Path(work, "pom.xml"), _project(paths))
        command = ["mvn", "--batch-mode", "--quiet", "--file", str(project)]
        command += ["dependency:copy-dependencies", "-DexcludeTransitive=true"]
        command += [f"-DoutputDirectory={folder}", "-Dmdep.useRepositoryLayout=true"]
        await finish(command, env=os.environ)


def _project(paths: list[str]) -> str:
    return PROJECT.format(dependencies="".join(_dependency(path) for path in paths))


def _dependency(path: str) -> str:
    """Return what Maven calls the file at this path in a repository."""
    group, artifact, version, file = path.rsplit("/", 3)
    return DEPENDENCY.format(
        group=group.replace("/", "."),
        artifact=artifact,
        version=version,
        type=PurePosixPath(file).suffix.removeprefix("."),
    )
