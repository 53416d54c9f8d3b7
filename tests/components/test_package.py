"""The Lambda package: reproducible, cached, atomic, and refused when it is stale."""

from __future__ import annotations

import concurrent.futures
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from components import dependencies, package, stack_file
from components.package import PackageTarget
from components.refusal import PackageRefused
from tests.components.recording import ROOT

TARGET = PackageTarget(runtime="python3.13", architecture="arm64")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A root with a little code and pins of its own."""
    code = tmp_path / "lambdas"
    code.mkdir()
    (code / "websocket.py").write_text("def handler(event, context): ...\n")
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "websocket.pyc").write_bytes(b"machine's own")
    (tmp_path / "requirements-lambda.txt").write_text("nothing==1.0\n")
    return tmp_path


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been installed; pip itself stays out of these tests."""
    done: list[str] = []

    def install(requirements: Path, directory: Path, **what: object) -> None:
        done.append(requirements.read_text())
        (directory / "nothing").mkdir()
        (directory / "nothing" / "__init__.py").write_text("VERSION = 1\n")
        (directory / "nothing" / "__init__.pyi").write_text("VERSION: int\n")
        (directory / "nothing-1.0.dist-info").mkdir()
        (directory / "nothing-1.0.dist-info" / "RECORD").write_text("differs from run to run")
        (directory / "nothing-1.0.dist-info" / "METADATA").write_text("Name: nothing")

    monkeypatch.setattr(dependencies, "install", install)
    return done


def test_a_package_holds_our_code_beside_its_dependencies_and_nothing_else(
    source: Path, installs: list[str]
) -> None:
    with zipfile.ZipFile(package.build(TARGET, root=source)) as archive:
        assert archive.namelist() == [
            "nothing/__init__.py",
            "nothing-1.0.dist-info/METADATA",
            "lambdas/websocket.py",
        ]


def test_the_same_input_gives_the_same_bytes(
    source: Path, installs: list[str], tmp_path: Path
) -> None:
    first = package.build(TARGET, root=source)
    again = tmp_path / "elsewhere"
    shutil.copytree(source, again, ignore=shutil.ignore_patterns("dist", "elsewhere"))
    for path in again.rglob("*.py"):
        path.touch()
        path.chmod(0o600)
    second = package.build(TARGET, root=again)
    assert second.name == first.name
    assert second.read_bytes() == first.read_bytes()


def test_a_change_of_code_does_not_install_anew(source: Path, installs: list[str]) -> None:
    first = package.build(TARGET, root=source)
    (source / "lambdas" / "janitor.py").write_text("def handler(event, context): ...\n")
    second = package.build(TARGET, root=source)
    assert first != second
    assert len(installs) == 1


def test_a_change_of_pins_installs_anew(source: Path, installs: list[str]) -> None:
    package.build(TARGET, root=source)
    (source / "requirements-lambda.txt").write_text("nothing==1.1\n")
    package.build(TARGET, root=source)
    assert installs == ["nothing==1.0\n", "nothing==1.1\n"]


def test_every_target_has_a_package_of_its_own(source: Path, installs: list[str]) -> None:
    other = PackageTarget(runtime="python3.13", architecture="x86_64")
    assert package.build(TARGET, root=source) != package.build(other, root=source)
    assert package.find(TARGET, stack="dev", root=source) != package.find(
        other, stack="dev", root=source
    )


def test_the_program_finds_what_was_built_by_a_path_that_names_no_machine(
    source: Path, installs: list[str]
) -> None:
    built = package.build(TARGET, root=source)
    found = package.find(TARGET, stack="dev", root=source)
    assert not found.is_absolute()
    assert source / found == built


def test_an_unbuilt_package_is_refused_with_the_command(source: Path) -> None:
    with pytest.raises(PackageRefused, match="run: make package STACK=dev") as caught:
        package.find(TARGET, stack="dev", root=source)
    assert "python3.13-arm64: has not been built" in str(caught.value)


def test_a_stale_package_is_refused(source: Path, installs: list[str]) -> None:
    package.build(TARGET, root=source)
    (source / "lambdas" / "websocket.py").write_text("def handler(event, context): return 1\n")
    with pytest.raises(PackageRefused, match="is stale"):
        package.find(TARGET, stack="dev", root=source)


def test_two_builds_at_once_end_in_one_whole_package(source: Path, installs: list[str]) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        built = {
            future.result()
            for future in [pool.submit(package.build, TARGET, root=source) for _ in range(4)]
        }
    (one,) = built
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
    assert [path.name for path in one.parent.iterdir() if path.name.startswith((".", "tmp"))] == []


def test_a_build_that_breaks_off_leaves_nothing_behind(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(*_: object, **__: object) -> None:
        raise PackageRefused([])

    monkeypatch.setattr(dependencies, "install", install)
    with pytest.raises(PackageRefused):
        package.build(TARGET, root=source)
    assert list((source / "dist").iterdir()) == []


def test_only_the_newest_packages_are_kept(source: Path, installs: list[str]) -> None:
    for number in range(package.KEPT + 2):
        (source / "lambdas" / "websocket.py").write_text(f"NUMBER = {number}\n")
        last = package.build(TARGET, root=source)
    kept = list((source / "dist").glob("order-receiver-*.zip"))
    assert len(kept) == package.KEPT
    assert last in kept


def test_a_build_without_a_package_index_says_so(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(source / "nowhere"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    (source / "requirements-lambda.txt").write_text(f"msgspec==0.22.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(PackageRefused, match="see that the Python package index can be reached"):
        package.build(TARGET, root=source)


def test_a_native_package_is_of_this_interpreter_or_refused(source: Path) -> None:
    target = PackageTarget(runtime="python3.10", architecture="x86_64", platform="native")
    with pytest.raises(PackageRefused, match=r"'python3\.10' cannot be packed natively"):
        package.build(target, root=source)


def test_amazon_linux_2_gets_no_wheels_for_a_newer_libc() -> None:
    older = dependencies.wheel_platforms("python3.11", "x86_64")
    newer = dependencies.wheel_platforms("python3.13", "arm64")
    assert older[0] == "manylinux_2_26_x86_64"
    assert newer[0] == "manylinux_2_34_aarch64"
    assert older[-1] == "manylinux2014_x86_64"


def test_a_stack_file_says_what_to_build_for(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.one.yaml"
    file.write_text("config:\n  order-receiver:lambdaArchitecture: x86_64\n")
    assert stack_file.target_of_stack(tmp_path, "one", None) == PackageTarget(
        runtime="python3.13", architecture="x86_64"
    )


def test_a_native_stack_is_built_for_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.here.yaml"
    file.write_text("config:\n  order-receiver:lambdaPlatform: native\n")
    runtime, architecture = dependencies.this_machine()
    assert runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert stack_file.target_of_stack(tmp_path, "here", None) == PackageTarget(
        runtime=runtime, architecture=architecture, platform="native"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "stack two: has no file Pulumi.two.yaml"),
        ("config:\n  order-receiver:lambdaRuntime: nodejs20.x\n", "'nodejs20.x' is not one of"),
    ],
)
def test_a_stack_that_cannot_be_built_for_is_refused(
    tmp_path: Path, content: str | None, said: str
) -> None:
    if content:
        (tmp_path / "Pulumi.two.yaml").write_text(content)
    with pytest.raises(PackageRefused) as caught:
        stack_file.target_of_stack(tmp_path, "two", None)
    assert said in str(caught.value)


def test_a_native_package_of_the_real_pins_runs_on_this_interpreter(tmp_path: Path) -> None:
    """The one test with pip in it: our real pins, natively, imported from the package alone."""
    runtime, architecture = dependencies.this_machine()
    target = PackageTarget(runtime=runtime, architecture=architecture, platform="native")
    built = package.build(target, root=ROOT)
    program = (
        "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; "
        f"sys.path.insert(0, {str(tmp_path)!r}); "
        "import lambdas.catalogue, msgspec, jwt; "
        "from cryptography.hazmat.primitives.asymmetric import rsa; "
        "print(msgspec.__file__)"
    )
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip().startswith(str(tmp_path)), done.stderr
