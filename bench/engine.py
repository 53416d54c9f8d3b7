"""The built-in engine: what it adds to a program and a pack, how it grows, and the CLI beside it.

The provider is the test provider `demo`, whose calls cost next to nothing, so what is measured is
the engines. A time "a resource" is the slope: what a program with so many resources takes longer
than one with a single resource, which has the same processes to start. Of it the engine's own is
what is left without the floor: the same program, run in the same way by the same SDK, against a
monitor that answers every registration at once and does nothing else. Calls of the provider are in
the engine's own time, and not in its processor time, which is that of this process: other load on
the machine hardly moves it, so it is what growth is judged by. The CLI, from whose times no floor
can be taken, is compared by whole times, where `pulumi` is on PATH.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import resource_pb2

from bench.ratio import Goal, Ratio
from sandbox import cloud as clouds
from sandbox.commands.target import own_stack
from sandbox.engine import BuiltinEngine, program
from sandbox.engine.goals import make_urn
from sandbox.engine.monitor import Monitor
from sandbox.engine.plugins import Plugin
from sandbox.engine.project import load_project
from sandbox.engine.report import Report
from sandbox.pulumi_cli import PulumiCli
from sandbox.stack import Engine, Request, Result, Stack

ROOT = Path(__file__).parents[1]
PARITY = ROOT / "tests" / "sandbox" / "engine" / "parity"
PACK = PARITY / "packs" / "rules"
MEASURE_MEMORY = "--memory"
PROGRAM = """
from demo import Thing
for n in range({number}):
    Thing(f"t{{n}}", value="v", tags={{"a": "b", "c": "d" * 50}}, items=[{{"x": 1}}] * 5)
"""


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        return [*_own(Path(folder)), *_beside_the_cli(Path(folder)), *_own_stack(Path(folder))]


def _own(folder: Path) -> list[Ratio]:
    engine = BuiltinEngine({"demo": Plugin(module="demo_provider", path=PARITY)})
    bare, sixty = _stack(folder, "bare", 0), _stack(folder, "sixty", 60)
    for stack in (bare, sixty):
        _done(engine.up(stack, _request(pack=True)))
    start = _best(lambda: engine.preview(bare, _request(pack=True)))
    whole = _best(lambda: engine.preview(sixty, _request(pack=True)))
    growth = _growth(engine, folder)
    five = _stack(folder, "five", 5)
    fixture = _timed(lambda: engine.up(five, _request()))
    memory = subprocess.run(
        [sys.executable, "-m", "bench.engine", MEASURE_MEMORY, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        _bound("no-op preview of 60 resources, start apart", whole - start, 2.0, "s"),
        *growth,
        _bound("deploy of five resources", fixture, 1.0, "s"),
        _bound("memory, 500 resources", float(memory.stdout), 200.0, "MB"),
    ]


def _beside_the_cli(folder: Path) -> list[Ratio]:
    if shutil.which("pulumi") is None:
        return []
    seconds: dict[str, dict[str, float]] = {}
    engines: tuple[Engine, ...] = (
        BuiltinEngine({"demo": Plugin(module="demo_provider", path=PARITY)}),
        PulumiCli(_install_demo),
    )
    for engine in engines:
        stack = _stack(folder, f"beside-{engine.name}", 60)
        up, preview = engine.up, engine.preview
        seconds[engine.name] = {
            "deploy of 60 resources": _timed(partial(up, stack, _request(pack=True))),
            "no-op preview": _best(partial(preview, stack, _request(pack=True))),
        }
    return [
        Ratio(
            what=what,
            ours=ours,
            peer=seconds["pulumi"][what],
            unit="s",
            against="pulumi",
            goal=Goal.AT_MOST,
            bound=0.5,
        )
        for what, ours in seconds["builtin"].items()
    ]


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """Seconds by the clock, and of this process's processors."""

    clock: float
    processor: float

    @staticmethod
    def of(work: Callable[[], None], times: int = 3) -> "_Cost":
        measured: list[tuple[float, float]] = []
        for _ in range(times):
            clock, processor = perf_counter(), process_time()
            work()
            measured.append((perf_counter() - clock, process_time() - processor))
        clocks, processors = zip(*measured, strict=True)
        return _Cost(clock=min(clocks), processor=min(processors))

    def beyond(self, other: "_Cost", number: int) -> "_Cost":
        """Milliseconds that each of so many resources adds."""
        more = self.without(other)
        return _Cost(clock=1000 * more.clock / number, processor=1000 * more.processor / number)

    def without(self, other: "_Cost") -> "_Cost":
        """What is left without a part."""
        return _Cost(clock=self.clock - other.clock, processor=self.processor - other.processor)


def _own_stack(folder: Path) -> list[Ratio]:
    """This repository's stack with its pack, in a sandbox of its own, on one engine and the other.

    What Terraform 1.11 with the AWS provider takes for the equivalent stack (43 resources, on the
    same emulator, on two cores) was measured once; 65 s of its 76 s of apply are fixed waits.
    """
    home = folder / "sandbox"
    environment = {**os.environ, "SANDBOX_HOME": str(home)}

    def sandbox(*arguments: str) -> None:
        command = [sys.executable, "-m", "sandbox", *arguments, "--yes"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)

    request = Request(quiet=True, policy_packs=(ROOT / "policies",))
    engines: list[Engine] = [BuiltinEngine()]
    if shutil.which("pulumi") is not None:
        engines.append(PulumiCli())
    sandbox("up", "--engine", "builtin")
    try:
        stack = own_stack(home, clouds.connect(home))
        _done(engines[0].destroy(stack, Request(quiet=True)))
        seconds = {
            engine.name: {
                "deploy": _timed(partial(engine.up, stack, request)),
                "no-op preview": _best(partial(engine.preview, stack, request)),
                "destroy": _timed(partial(engine.destroy, stack, Request(quiet=True))),
            }
            for engine in engines
        }
    finally:
        sandbox("down")
    terraform = {"deploy": (76.0, 0.15), "no-op preview": (9.0, 0.25), "destroy": (18.0, 0.0)}
    found: list[Ratio] = []
    for what, ours in seconds["builtin"].items():
        peers = [("terraform, quoted", *terraform[what])]
        if what == "deploy":
            peers.append(("the same, no waits", 11.0, 0.0))
        if "pulumi" in seconds:
            peers.append(("pulumi", seconds["pulumi"][what], 0.0 if what == "destroy" else 0.5))
        found += [
            Ratio(
                what=f"this project's stack: {what}",
                ours=ours,
                peer=peer,
                unit="s",
                against=against,
                goal=Goal.AT_MOST if bound else Goal.SHOWN,
                bound=bound,
            )
            for against, peer, bound in peers
        ]
    return found


def _growth(engine: Engine, folder: Path) -> list[Ratio]:
    """What a resource costs of 100 and of 500: of the engine's own, and of the SDK's."""
    one, few, many = 1, 100, 500
    stacks = {number: _stack(folder, f"of{number}", number) for number in (one, few, many)}

    def costs(work: Callable[[Stack], None], times: int = 3) -> dict[int, _Cost]:
        found = {number: _Cost.of(partial(work, stacks[number]), times) for number in stacks}
        return {number: found[number].beyond(found[one], number - one) for number in (few, many)}

    def up(with_engine: Engine, stack: Stack) -> None:
        _done(with_engine.up(stack, _request()))

    first = costs(partial(up, engine), 1)
    again = costs(partial(up, engine))
    floor = costs(_floor)
    found: list[Ratio] = []
    for what, whole in (("no-op up", again), ("first deploy", first)):
        own = {number: whole[number].without(floor[number]) for number in whole}
        found += [
            _bound(f"a resource of a {what} of 500, own time", own[many].clock, 10.0, "ms"),
            Ratio(
                what=f"a resource of a {what} of 500, own processor",
                ours=own[many].processor,
                peer=own[few].processor,
                unit="ms",
                against="of 100",
                goal=Goal.AT_MOST,
                bound=1.5,
            ),
        ]
    found.append(_shown("a resource of 500, the SDK's (floor)", floor, many, floor, few, "of 100"))
    if shutil.which("pulumi") is not None:
        cli = PulumiCli(_install_demo)
        costs(partial(up, cli), 1)
        theirs = costs(partial(up, cli), 2)
        for number in (few, many):
            what = f"a resource of a no-op up of {number}, whole"
            found.append(_shown(what, again, number, theirs, number, "pulumi"))
    return found


def _shown(
    what: str,
    ours: dict[int, _Cost],
    number: int,
    peers: dict[int, _Cost],
    beside: int,
    against: str,
) -> Ratio:
    return Ratio(
        what=what,
        ours=ours[number].clock,
        peer=peers[beside].clock,
        unit="ms",
        against=against,
    )


class _Nothing(Monitor):
    """Answers every registration at once; the features are the engine's."""

    def __init__(self) -> None:
        """Have no deployment."""

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        urn = make_urn("dev", "floor", request.parent, request.type, request.name)
        return resource_pb2.RegisterResourceResponse(urn=urn, id="id", object=request.object)

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        del request
        return empty_pb2.Empty()


def _floor(stack: Stack) -> None:
    """Run the program without an engine."""
    project = load_project(stack)
    report = Report(Request(quiet=True), "update", "floor")
    steps: Any = SimpleNamespace(report=report, parallel=16, preview=False)
    with program.surroundings(project):
        if not program.run(project, _Nothing(), steps):
            raise RuntimeError(
                "\n".join(d.message for d in report.close(ok=False, outputs={}).diagnostics)
            )


def _stack(folder: Path, name: str, number: int) -> Stack:
    project = folder / name
    (project / "cloud").mkdir(parents=True)
    shutil.copy(PARITY / "demo.py", project)
    (project / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text(f"config: {{{name}:step: 1}}\n")
    (project / "__main__.py").write_text(PROGRAM.format(number=number))
    return Stack(
        name="dev",
        cwd=project,
        home=folder / f"home-{name}",
        environment={"DEMO_CLOUD": str(project / "cloud")},
    )


def _request(*, pack: bool = False) -> Request:
    return Request(quiet=True, policy_packs=(PACK,) if pack else ())


def _done(result: Result) -> None:
    if not result.ok:
        raise RuntimeError("\n".join(d.message for d in result.diagnostics))


def _timed(work: Callable[[], Result]) -> float:
    began = perf_counter()
    _done(work())
    return perf_counter() - began


def _best(work: Callable[[], Result]) -> float:
    return min(_timed(work) for _ in range(3))


def _bound(what: str, ours: float, bound: float, unit: str) -> Ratio:
    return Ratio(
        what=what, ours=ours, peer=bound, unit=unit, against="bound", goal=Goal.AT_MOST, bound=1.0
    )


def _install_demo(pulumi_home: Path) -> None:
    sys.path.insert(0, str(PARITY))
    from harness import install_demo  # pyright: ignore[reportMissingImports]

    install_demo(pulumi_home)


def _print_memory(folder: Path) -> None:
    """Print the peak memory of a process that runs a no-op up of 500 resources."""
    os.chdir(folder)
    engine = BuiltinEngine({"demo": Plugin(module="demo_provider", path=PARITY)})
    stack = _stack(folder / "memory", "memory", 500)
    for _ in range(2):
        _done(engine.up(stack, _request()))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__" and sys.argv[1:2] == [MEASURE_MEMORY]:
    _print_memory(Path(sys.argv[2]))
