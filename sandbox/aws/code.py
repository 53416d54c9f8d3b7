"""Archives and assets of a program as one zip file, and the hash that tells changes."""

import base64
import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pulumi

from sandbox.aws.errors import ProviderError

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member of a zip made here, so that equal files make equal bytes."""

_hashes: dict[tuple[str, int, int], str] = {}
"""Hashes of zip files by path, size and time of change, so that each is read once."""


class ArchiveError(ProviderError):
    """An archive that cannot be read, or of a kind that the sandbox does not have."""


def zipped(archive: Any, cwd: Path) -> bytes:
    """Return the archive as a zip file; a path is taken from `cwd`."""
    source = _zip_file(archive, cwd)
    if source is not None:
        return source.read_bytes()
    buffer = io.BytesIO()
    # Stored, not compressed: the only reader is on this machine.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name, content, mode in sorted(_members(archive, cwd, "")):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = (stat.S_IFREG | mode) << 16
            target.writestr(member, content)
    return buffer.getvalue()


def sha256(archive: Any, cwd: Path) -> str:
    """Return the hash that Lambda gives for this code (`CodeSha256`)."""
    source = _zip_file(archive, cwd)
    if source is None:
        return _digest(zipped(archive, cwd))
    about = source.stat()
    key = (str(source), about.st_size, about.st_mtime_ns)
    if key not in _hashes:
        _hashes[key] = _digest(source.read_bytes())
    return _hashes[key]


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _zip_file(archive: Any, cwd: Path) -> Path | None:
    """Return the file that already is the zip, if the archive is one."""
    if isinstance(archive, pulumi.RemoteArchive | pulumi.RemoteAsset):
        raise ArchiveError(
            f"{archive.uri} is remote: the sandbox takes archives of this machine only"
        )
    if not isinstance(archive, pulumi.FileArchive | pulumi.FileAsset):
        return None
    path = cwd / archive.path
    if not path.exists():
        raise ArchiveError(f"there is no file or folder {archive.path}: build it first")
    if path.is_dir():
        return None
    if not zipfile.is_zipfile(path):
        raise ArchiveError(f"{archive.path} is not a zip file, and the sandbox takes no other kind")
    return path


def _members(archive: Any, cwd: Path, prefix: str) -> Iterator[tuple[str, bytes, int]]:
    """Yield name, content and mode of each file within an archive."""
    match archive:
        case pulumi.AssetArchive():
            for name, each in archive.assets.items():
                yield from _members(each, cwd, f"{prefix}/{name}" if prefix else name)
        case pulumi.FileArchive():
            source = _zip_file(archive, cwd)
            yield from _unpacked(source, prefix) if source else _folder(cwd / archive.path, prefix)
        case pulumi.StringAsset() if prefix:
            yield prefix, archive.text.encode(), 0o644
        case pulumi.FileAsset() if prefix:
            path = cwd / archive.path
            if not path.is_file():
                raise ArchiveError(f"there is no file {archive.path}")
            yield prefix, path.read_bytes(), _mode(path)
        case _:
            _zip_file(archive, cwd)
            raise ArchiveError(
                f"a {type(archive).__name__} is not an archive that the sandbox takes"
            )


def _unpacked(source: Path, prefix: str) -> Iterator[tuple[str, bytes, int]]:
    with zipfile.ZipFile(source) as opened:
        for member in opened.infolist():
            if not member.is_dir():
                name = f"{prefix}/{member.filename}" if prefix else member.filename
                yield name, opened.read(member), (member.external_attr >> 16) & 0o777 or 0o644


def _folder(folder: Path, prefix: str) -> Iterator[tuple[str, bytes, int]]:
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and "__pycache__" not in inner.parts:
            name = f"{prefix}/{inner.as_posix()}" if prefix else inner.as_posix()
            yield name, path.read_bytes(), _mode(path)


def _mode(path: Path) -> int:
    """Return read rights for all, and the owner's right to execute for all, whatever the umask."""
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
