"""Archives of a program as Lambda code."""

import base64
import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from sandbox.aws.code import Archive, ArchiveError, sha256, zipped
from tests.sandbox.aws.driver import archive, asset


def members(of: Archive, cwd: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(zipped(of, cwd))) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("inner/main.py", "x = 1\n")
    return path


def test_a_zip_file_is_sent_as_it_is(package: Path, tmp_path: Path):
    assert zipped(archive(path="package.zip"), tmp_path) == package.read_bytes()


def test_its_hash_is_the_one_that_lambda_tells(package: Path, tmp_path: Path):
    digest = hashlib.sha256(package.read_bytes()).digest()

    assert sha256(archive(path="package.zip"), tmp_path) == base64.b64encode(digest).decode()


def test_a_rebuilt_zip_file_has_another_hash(package: Path, tmp_path: Path):
    before = sha256(archive(path=str(package)), tmp_path)
    with zipfile.ZipFile(package, "w") as target:
        target.writestr("inner/main.py", "x = 2222\n")

    assert sha256(archive(path=str(package)), tmp_path) != before


def test_an_archive_of_assets_keeps_their_names_and_takes_folders(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.py").write_text("b")
    (tmp_path / "one.txt").write_text("1")
    mixed = archive(
        assets={
            "a.py": asset(text="a"),
            "one": asset(path="one.txt"),
            "f": archive(path="folder"),
            ".": archive(path="folder"),
        }
    )

    assert members(mixed, tmp_path) == {
        "a.py": b"a",
        "one": b"1",
        "f/b.py": b"b",
        "b.py": b"b",
    }


def test_equal_files_make_equal_archives_whenever_and_however_they_were_written(tmp_path: Path):
    for name, mode, when in (("one", 0o600, 1), ("two", 0o664, 2_000_000_000)):
        folder = tmp_path / name
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__pycache__" / "main.pyc").write_text(name)
        for file in ("z.py", "a.py"):
            (folder / file).write_text(file)
            (folder / file).chmod(mode)
            os.utime(folder / file, (when, when))

    one, two = (zipped(archive(path=name), tmp_path) for name in ("one", "two"))

    assert one == two


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (archive(path="missing.zip"), "missing.zip"),
        (archive(path="text.tar"), "not a zip"),
        (archive(uri="https://example.com/a.zip"), "remote"),
        (archive(assets={"a": asset(uri="https://example.com/a")}), "remote"),
        (archive(assets={"a": asset(path="missing.txt")}), "missing.txt"),
        (archive(assets={"a": archive(path="package.zip")}), "within another"),
    ],
)
def test_what_cannot_be_packed_is_refused_with_the_reason(of, reason, tmp_path: Path):
    (tmp_path / "text.tar").write_text("no archive")

    with pytest.raises(ArchiveError, match=reason):
        sha256(of, tmp_path)
