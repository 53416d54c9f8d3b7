"""Hashes of assets and archives are those of the Pulumi CLI: states go from one to the other."""

import hashlib
from pathlib import Path

import pytest

from sandbox.engine import values
from sandbox.engine.assets import with_hashes
from sandbox.stack import EngineError


def text(content):
    return {values.SIGNATURE: values.ASSET, "text": content}


def archive(**given):
    return {values.SIGNATURE: values.ARCHIVE, **given}


def test_an_archive_of_assets_hashes_as_the_cli_hashes_it():
    members = {"a.txt": text("a"), "b/c.txt": text("c1")}
    found = with_hashes(archive(assets=members), Path("/"))
    assert found["hash"] == "9424c8a2027dbc49a3152babd5a6329dedc4f02e3d1159da8e204588645baf73"


def test_a_folder_hashes_like_the_assets_in_it(tmp_path):
    (tmp_path / "code" / "b").mkdir(parents=True)
    (tmp_path / "code" / "a.txt").write_text("a")
    (tmp_path / "code" / "b" / "c.txt").write_text("c1")
    members = {"a.txt": text("a"), "b/c.txt": text("c1")}
    folder = with_hashes(archive(path="code"), tmp_path)
    assert folder["hash"] == with_hashes(archive(assets=members), tmp_path)["hash"]


def test_a_zip_file_hashes_as_the_bytes_that_it_is(tmp_path):
    (tmp_path / "code.zip").write_bytes(b"PK and so on")
    found = with_hashes({"code": archive(path="code.zip")}, tmp_path)
    assert found["code"]["hash"] == hashlib.sha256(b"PK and so on").hexdigest()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EngineError, match=r"cannot read .*gone\.zip: No such file"):
        with_hashes(archive(path="gone.zip"), tmp_path)
