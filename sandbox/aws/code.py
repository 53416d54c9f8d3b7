"""Archives of a program as one zip file, and the hash that tells changes."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sandbox.aws.errors import ProviderError
from sandbox.aws.values import ARCHIVE, SIGNATURE

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every member of a zip made here, so that equal files make equal bytes."""

_MODE: Final = 0o100755
"""A file that all may read and execute, for the same reason."""

Archive = Mapping[str, Any]
"""An archive or asset of the protocol: `assets`, `path`, `text` or `uri` beside its signature."""


class ArchiveError(ProviderError):
    """An archive that cannot be read, or of a kind that the sandbox does not have."""


def zipped(archive: Archive, cwd: Path) -> bytes:
    """Return the archive as a zip file; a path is taken from `cwd`."""
    path = _path(archive, cwd)
    if path and path.is_file():
        if not zipfile.is_zipfile(path):
            raise ArchiveError(f"{path} is not a zip file, and the sandbox takes no other kind")
        return path.read_bytes()
    buffer = io.BytesIO()
    # Stored, not compressed: the only reader is on this machine.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name, content in sorted(_members(archive, cwd, PurePosixPath())):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = _MODE << 16
            target.writestr(member, content)
    return buffer.getvalue()


def sha256(archive: Archive, cwd: Path) -> str:
    """Return the hash that Lambda gives for this code (`CodeSha256`)."""
    return base64.b64encode(hashlib.sha256(zipped(archive, cwd)).digest()).decode()


def _path(archive: Archive, cwd: Path) -> Path | None:
    """Return the file or folder that an archive or asset names, if it is of that kind."""
    if uri := archive.get("uri"):
        raise ArchiveError(f"{uri} is remote: the sandbox takes archives of this machine only")
    if "path" not in archive:
        return None
    path = cwd / archive["path"]
    if not path.exists():
        raise ArchiveError(f"there is no file or folder {archive['path']}: build it first")
    return path


def _members(archive: Archive, cwd: Path, name: PurePosixPath) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file within an archive or asset of the given name."""
    path = _path(archive, cwd)
    if archive[SIGNATURE] != ARCHIVE:
        yield str(name), path.read_bytes() if path else archive.get("text", "").encode()
    elif path is None:
        for inner, each in archive.get("assets", {}).items():
            yield from _members(each, cwd, name / inner)
    elif path.is_dir():
        for file in path.rglob("*"):
            inner = file.relative_to(path)
            if file.is_file() and "__pycache__" not in inner.parts:
                yield str(name / inner), file.read_bytes()
    else:
        raise ArchiveError(f"{path} is an archive within another one: unpack it to a folder")
