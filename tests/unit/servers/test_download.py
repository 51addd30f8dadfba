"""Downloads: what is in the cache is the file of the list, or the program stops."""

import hashlib
from pathlib import Path

import pytest
from tests.servers import download, dynamodb, java, opensearch
from tests.servers.maven import _project
from tests.servers.report import SetupError

GOOD = hashlib.sha256(b"good").hexdigest()


def put(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def names_of_files(folder: Path) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file()]


async def test_a_file_of_the_cache_that_is_right_is_used(tmp_path: Path) -> None:
    put(tmp_path / "one.jar", b"good")

    await download.fetch(["one.jar"], tmp_path, {"one.jar": GOOD})

    assert names_of_files(tmp_path) == ["one.jar"]


async def test_a_file_of_the_cache_with_another_checksum_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "one.jar", b"bad")

    with pytest.raises(SetupError) as failure:
        await download.fetch(["one.jar"], tmp_path, {"one.jar": GOOD})

    assert str(tmp_path / "one.jar") in str(failure.value)
    assert GOOD in str(failure.value)


async def test_a_download_with_another_checksum_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bring_another_file(_client: object, _path: str, part: Path) -> None:
        put(part, b"bad")

    monkeypatch.setattr(download, "_stream", bring_another_file)

    with pytest.raises(SetupError, match=r"one\.jar"):
        await download.fetch(["g/one.jar"], tmp_path, {"g/one.jar": GOOD})

    assert names_of_files(tmp_path) == []


def test_the_list_has_a_checksum_for_all_that_is_ever_downloaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = dynamodb.artifacts()
    for version in (17, 21, 25):
        monkeypatch.setattr(java, "newest", lambda version=version: (version, Path("/java")))
        wanted += opensearch.artifacts()

    checksums = download.known()

    assert set(checksums) == set(wanted)
    assert all(len(bytes.fromhex(checksum)) == 32 for checksum in checksums.values())


def test_maven_is_asked_for_the_file_at_a_path_of_the_list() -> None:
    project = _project(["com/acme/tool/1.2/tool-1.2.zip"])

    assert (
        "<groupId>com.acme</groupId><artifactId>tool</artifactId>"
        "<version>1.2</version><type>zip</type>"
    ) in project
