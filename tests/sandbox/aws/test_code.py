"""Archives of a program as Lambda code."""

import base64
import hashlib
import io
import os
import zipfile
from pathlib import Path

import pulumi
import pytest

from sandbox.aws.code import ArchiveError, sha256, zipped


def members(archive: pulumi.Archive, cwd: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(zipped(archive, cwd))) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("inner/main.py", "x = 1\n")
    return path


def test_a_zip_file_is_sent_as_it_is(package: Path, tmp_path: Path):
    assert zipped(pulumi.FileArchive("package.zip"), tmp_path) == package.read_bytes()


def test_its_hash_is_the_one_that_lambda_tells(package: Path, tmp_path: Path):
    digest = hashlib.sha256(package.read_bytes()).digest()

    assert sha256(pulumi.FileArchive("package.zip"), tmp_path) == base64.b64encode(digest).decode()


def test_a_rebuilt_zip_file_has_another_hash(package: Path, tmp_path: Path):
    before = sha256(pulumi.FileArchive(str(package)), tmp_path)
    with zipfile.ZipFile(package, "w") as target:
        target.writestr("inner/main.py", "x = 2222\n")

    assert sha256(pulumi.FileArchive(str(package)), tmp_path) != before


def test_an_archive_of_assets_keeps_their_names_and_nests(package: Path, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.py").write_text("b")
    (tmp_path / "one.txt").write_text("1")
    archive = pulumi.AssetArchive(
        {
            "a.py": pulumi.StringAsset("a"),
            "one": pulumi.FileAsset("one.txt"),
            "f": pulumi.FileArchive("folder"),
            "p": pulumi.FileArchive("package.zip"),
        }
    )

    assert members(archive, tmp_path) == {
        "a.py": b"a",
        "one": b"1",
        "f/b.py": b"b",
        "p/inner/main.py": b"x = 1\n",
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

    one, two = (zipped(pulumi.FileArchive(name), tmp_path) for name in ("one", "two"))

    assert one == two


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (pulumi.FileArchive("missing.zip"), "missing.zip"),
        (pulumi.FileArchive("text.tar"), "not a zip"),
        (pulumi.RemoteArchive("https://example.com/a.zip"), "remote"),
        (pulumi.AssetArchive({"a": pulumi.RemoteAsset("https://example.com/a")}), "remote"),
        (pulumi.AssetArchive({"a": pulumi.FileAsset("missing.txt")}), "missing.txt"),
        (pulumi.StringAsset("x"), "StringAsset"),
    ],
)
def test_what_cannot_be_packed_is_refused_with_the_reason(archive, reason, tmp_path: Path):
    (tmp_path / "text.tar").write_text("no archive")

    with pytest.raises(ArchiveError, match=reason):
        sha256(archive, tmp_path)
