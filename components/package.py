"""The Lambda package: our code beside its pinned dependencies, the same bytes for the same input.

A package is named by what went into it (code, pins, runtime, architecture), so that the program can
tell by the name alone whether the package of the present sources has been built.

Build it with `make package`, or `python -m components.package --stack NAME [--config-file FILE]`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components import dependencies
from components.refusal import PackageRefused, Problem

ROOT: Final = Path(__file__).resolve().parent.parent
CODE: Final = "lambdas"
REQUIREMENTS: Final = "requirements-lambda.txt"
OUTPUT: Final = "dist"
KEPT: Final = 3
"""Packages of one target that stay in dist/: a deployment that is under way keeps its own."""
FORMAT: Final = "1"
"""Counts up when the builder itself puts something else into a package."""
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The only time stamp in a package, and the earliest that zip knows."""


@dataclass(frozen=True, kw_only=True)
class PackageTarget:
    """What a package has to run on."""

    runtime: str
    """`python3.13`."""
    architecture: str
    """`arm64` or `x86_64`."""
    platform: str = "lambda"
    """`lambda` (Amazon Linux), or `native` for a cloud that runs Lambdas on this very machine."""

    @property
    def label(self) -> str:
        """What its file is called by."""
        return f"{self.runtime}-{self.architecture}" + ("-native" if self.native else "")

    @property
    def native(self) -> bool:
        """Whether it is to run on this machine's interpreter."""
        return self.platform == "native"


def find(target: PackageTarget, *, stack: str, root: Path = ROOT) -> Path:
    """The built package of the present sources.

    Its path is relative to the root, because state must not name a machine. Raises PackageRefused
    when it is missing or stale.
    """
    name = _file_name(target, _code(root), root)
    if (root / OUTPUT / name).is_file():
        return Path(OUTPUT) / name
    older = list((root / OUTPUT).glob(f"order-receiver-{target.label}-*.zip"))
    state = "is stale: the code or its pins have changed since" if older else "has not been built"
    raise PackageRefused(
        [
            Problem(
                subject=f"Lambda package for {target.label}",
                finding=state,
                remedy=f"run: make package STACK={stack}",
            )
        ]
    )


def build(target: PackageTarget, *, root: Path = ROOT) -> Path:
    """Build the package, or find it built already.

    Raises PackageRefused when the dependencies cannot be had.
    """
    code = _code(root)
    package = root / OUTPUT / _file_name(target, code, root)
    if package.is_file():
        return package
    package.parent.mkdir(exist_ok=True)
    installed = _dependencies(target, root)
    with _replacing(package) as draft:
        # The dependencies are compressed once; a change of our code costs a copy of them.
        shutil.copyfile(installed, draft)
        with zipfile.ZipFile(draft, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, content in code.items():
                write(archive, name, content)
    _prune(package, f"order-receiver-{target.label}-*.zip")
    return package


def write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file with nothing of this machine about it: no time, no owner, one mode."""
    entry = zipfile.ZipInfo(name, date_time=EPOCH)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _file_name(target: PackageTarget, code: Mapping[str, bytes], root: Path) -> str:
    digest = hashlib.sha256(_dependencies_digest(target, root).encode())
    for name, content in code.items():
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(content).digest())
    return f"order-receiver-{target.label}-{digest.hexdigest()[:16]}.zip"


def _code(root: Path) -> dict[str, bytes]:
    """Our files and their contents, read once, so that the name and the package agree."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted((root / CODE).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _dependencies_digest(target: PackageTarget, root: Path) -> str:
    digest = hashlib.sha256(f"{FORMAT}\0{target}\0".encode())
    if target.native:
        digest.update(f"{sys.version_info[:2]} {sysconfig.get_platform()}".encode())
    digest.update((root / REQUIREMENTS).read_bytes())
    return digest.hexdigest()[:16]


def _dependencies(target: PackageTarget, root: Path) -> Path:
    """A zip of the dependencies alone, kept between builds."""
    archive_path = (
        root / OUTPUT / f"dependencies-{target.label}-{_dependencies_digest(target, root)}.zip"
    )
    if archive_path.is_file():
        return archive_path
    with tempfile.TemporaryDirectory(dir=archive_path.parent) as directory:
        dependencies.install(
            root / REQUIREMENTS,
            Path(directory),
            runtime=target.runtime,
            architecture=target.architecture,
            native=target.native,
        )
        with (
            _replacing(archive_path) as draft,
            zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for path in dependencies.packed_files(Path(directory)):
                write(archive, path.relative_to(directory).as_posix(), path.read_bytes())
    _prune(archive_path, f"dependencies-{target.label}-*.zip")
    return archive_path


@contextlib.contextmanager
def _replacing(path: Path) -> Generator[Path]:
    """A draft that becomes the file in one step, so that nobody ever sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _prune(kept: Path, pattern: str) -> None:
    """Remove all but the newest few."""
    found = sorted(
        kept.parent.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True
    )
    for path in found[KEPT:]:
        path.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Build the package that a stack's settings ask for."""
    from components.stack_file import target_of_stack

    parser = argparse.ArgumentParser(prog="python -m components.package", description=main.__doc__)
    parser.add_argument("--stack", required=True, help="the stack whose settings count")
    parser.add_argument(
        "--config-file", type=Path, help="instead of the stack's own Pulumi.<stack>.yaml"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        target = target_of_stack(ROOT, options.stack, options.config_file)
        package = build(target)
    except PackageRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    size = package.stat().st_size / 2**20
    seconds = time.monotonic() - started
    print(f"{package.relative_to(ROOT)} ({size:.1f} MB, {seconds:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
