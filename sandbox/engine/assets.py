"""Hashes of assets and archives, computed as Pulumi does: both engines see the same change."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.engine import values
from sandbox.stack import EngineError

_ARCHIVE_SUFFIXES = (".zip", ".jar", ".tar", ".tgz", ".tar.gz")


def with_hashes(value: Any, root: Path) -> Any:
    """Fill in the hash of every asset and archive; relative paths are those of the program.

    Raises `EngineError`, which names it, for one that cannot be read.
    """

    def change(part: Any) -> Any:
        kind = values.signature(part)
        if kind not in {values.ASSET, values.ARCHIVE} or part.get("hash"):
            return part
        if part.get("uri"):
            raise EngineError(f"an asset from a URI is not supported by the sandbox: {part['uri']}")
        digest = _asset_bytes(part, root) if kind == values.ASSET else _archive_bytes(part, root)
        return {**part, "hash": hashlib.sha256(digest).hexdigest()}

    return values.transform(value, change)


def _asset_bytes(asset: dict[str, Any], root: Path) -> bytes:
    return _read(root / asset["path"]) if "path" in asset else asset.get("text", "").encode()


def _archive_bytes(archive: dict[str, Any], root: Path) -> bytes:
    path = archive.get("path")
    if path and path.endswith(_ARCHIVE_SUFFIXES):
        return _read(root / path)
    # Not a file of its own: the bytes are those of a tar file with one plain header per member.
    buffer = io.BytesIO()
    seen: set[str] = set()
    for name, content in _members(archive, root):
        if name in seen:
            continue
        seen.add(name)
        buffer.write(_header(name, len(content)) + content + b"\0" * (-len(content) % 512))
    buffer.write(b"\0" * 1024)
    return buffer.getvalue()


def _header(name: str, size: int) -> bytes:
    """Write a header as Go does, which gives plain files the device number zero; Python none."""
    info = tarfile.TarInfo(name)
    info.mode, info.size = 0o600, size
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    header[329:345] = b"0000000\0" * 2
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    return bytes(header)


def _members(archive: dict[str, Any], root: Path) -> Iterator[tuple[str, bytes]]:
    if path := archive.get("path"):
        folder = root / path
        if not folder.is_dir():
            raise EngineError(f"{folder} is neither a known kind of archive nor a folder")
        for file in sorted(_files(folder), key=lambda file: file.relative_to(folder).parts):
            yield file.relative_to(folder).as_posix(), _read(file)
        return
    for name, member in sorted(archive.get("assets", {}).items()):
        if values.signature(member) == values.ASSET:
            yield name, _asset_bytes(member, root)
        else:
            for inner, content in _members(member, root):
                yield f"{name}/{inner}", content


def _files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and ".pulumi" not in file.relative_to(folder).parts:
            yield file


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EngineError(f"cannot read {path}: {error.strerror}") from error
