"""The built-in engine: what it adds to a program and a pack, how it grows, and the CLI beside it.

The provider is the test provider `demo`, whose calls cost next to nothing, so what is measured is
the engines. The comparison with the CLI is left out where `pulumi` is not on PATH.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

from bench.ratio import Goal, Ratio
from sandbox.engine import BuiltinEngine
from sandbox.engine.plugins import Plugin
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
        return [*_own(Path(folder)), *_beside_the_cli(Path(folder))]


def _own(folder: Path) -> list[Ratio]:
    engine = BuiltinEngine({"demo": Plugin(module="demo_provider", path=PARITY)})
    bare, sixty = _stack(folder, "bare", 0), _stack(folder, "sixty", 60)
    for stack in (bare, sixty):
        _done(engine.up(stack, _request(pack=True)))
    start = _best(lambda: engine.preview(bare, _request(pack=True)))
    whole = _best(lambda: engine.preview(sixty, _request(pack=True)))
    small = _seconds_a_resource(engine, folder, 100)
    large = _seconds_a_resource(engine, folder, 500)
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
        _bound("a resource of a no-op up, of 500", large * 1000, 10.0, "ms"),
        Ratio(
            what="a resource of 500",
            ours=large * 1000,
            peer=small * 1000,
            unit="ms",
            against="of 100",
            goal=Goal.AT_MOST,
            bound=1.5,
        ),
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


def _seconds_a_resource(engine: Engine, folder: Path, number: int) -> float:
    """What each resource adds to a no-op up, against a program with none."""
    empty, stack = _stack(folder, f"none{number}", 0), _stack(folder, f"many{number}", number)
    for each in (empty, stack):
        _done(engine.up(each, _request()))
    without = _best(lambda: engine.up(empty, _request()))
    return (_best(lambda: engine.up(stack, _request())) - without) / number


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
