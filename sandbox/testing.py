"""A cloud and a deployment for pytest: plan and apply a Pulumi program in this very process.

`docs/sandbox.md` has an example. The cloud is one for each test process, so that workers of
pytest-xdist share no port and no file. The state is one for each test, and what a test deployed is
destroyed after it.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.engine import BuiltinEngine
from sandbox.engine.plugins import Plugin
from sandbox.stack import Finding, Request, Result, Stack

Program = Callable[[], None] | Path

_CALL: Final = "from sandbox import testing\n\ntesting.running()\n"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What became of a program: its plan, and where that was allowed, what was then done.

    `done` is nothing when the plan failed, as it does when a mandatory policy is violated.
    """

    plan: Result
    done: Result | None
    resources: tuple[Mapping[str, Any], ...]

    @property
    def ok(self) -> bool:
        """Whether everything that was planned was done."""
        return self.done is not None and self.done.ok

    @property
    def errors(self) -> tuple[str, ...]:
        """What went wrong, in the order in which it did."""
        said = (self.done or self.plan).diagnostics
        return tuple(each.message for each in said if each.severity == "error")

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, secrets in clear."""
        return self.done.outputs if self.done else {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the policy pack said of the plan."""
        return self.plan.findings


def running() -> None:
    """Stand for the function that `deploy` was given, in the file that the engine runs."""
    _running[0]()


_running: Final[list[Callable[[], None]]] = []


class Deployer:
    """Deploys programs to one cloud; see `deploy`."""

    def __init__(self, cloud: Cloud, home: Path) -> None:
        self._cloud = cloud
        self._home = home
        self._deployed: dict[Path, Stack] = {}
        self._at_work: Stack
        self._engine = BuiltinEngine({"aws": Plugin(servicer=self._provider)})

    def __call__(
        self,
        program: Program,
        config: Mapping[str, Any] | None = None,
        policy_pack: Path | None = None,
        *,
        name: str = "program",
    ) -> Deployed:
        """Plan and deploy a function, or the program in a folder.

        `config` maps `key` or `namespace:key` to values. The same `name` again is the same project:
        it is updated.
        """
        stack = self._at_work = self._stack(name, program, config or {})
        request = Request(quiet=True, policy_packs=(policy_pack,) if policy_pack else ())
        if not isinstance(program, Path):
            _running[:] = [program]
        plan, done, resources = self._engine.preview(stack, request), None, ()
        if plan.ok:
            self._deployed.pop(stack.cwd, None)
            self._deployed[stack.cwd] = stack
            done = self._engine.up(stack, request)
        if stack.cwd in self._deployed:
            resources = tuple(self._engine.export(stack)["deployment"].get("resources") or ())
        return Deployed(plan=plan, done=done, resources=resources)

    def destroy(self) -> None:
        """Delete what was deployed, the last first, and what is protected too.

        Raises AssertionError when something stays behind, where another test would find it.
        """
        failed: list[str] = []
        for stack in reversed(self._deployed.values()):
            self._at_work = stack
            state = self._engine.export(stack)
            for resource in state["deployment"].get("resources") or ():
                resource.pop("protect", None)
            self._engine.import_(stack, state)
            done = self._engine.destroy(stack, Request(quiet=True))
            failed += [] if done.ok else [each.message for each in done.diagnostics]
        if failed:
            raise AssertionError("; ".join(failed))
        self._deployed.clear()

    def _stack(self, name: str, program: Program, config: Mapping[str, Any]) -> Stack:
        folder = program if isinstance(program, Path) else self._home / name
        folder.mkdir(parents=True, exist_ok=True)
        if not isinstance(program, Path):
            described = {"name": name, "runtime": "python"}
            folder.joinpath("Pulumi.yaml").write_text(yaml.safe_dump(described))
            folder.joinpath("__main__.py").write_text(_CALL)
        settings = self._home / f"{name}.yaml"
        settings.write_text(yaml.safe_dump({"config": dict(config)}))
        return Stack(
            name="test",
            cwd=folder,
            home=self._home,
            config_file=settings,
            environment=self._cloud.environment(),
        )

    def _provider(self) -> ResourceProviderServicer:
        from sandbox.aws.provider import AwsProvider
        from sandbox.aws.server import Servicer

        return Servicer(AwsProvider(self._cloud.environment(), cwd=self._at_work.cwd))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cloud]:
    """A sandbox cloud of this test process alone, which ends with it.

    It is shared by the tests of one process, so what they create needs names of its own.
    """
    started = clouds.start(tmp_path_factory.mktemp("sandbox"), tied=True)
    yield started
    started.stop()


@pytest.fixture
def deploy(cloud: Cloud, tmp_path: Path) -> Generator[Deployer]:
    """Deploy programs to the cloud; they are destroyed after the test."""
    deployer = Deployer(cloud, tmp_path / "deployments")
    tmp_path.joinpath("deployments").mkdir()
    yield deployer
    deployer.destroy()
