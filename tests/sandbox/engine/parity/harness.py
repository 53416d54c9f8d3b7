"""Plays a program's scenario on an engine and notes what the engine did.

A scenario is in the program's docstring: `Run:` lists operations with the step of the program (the
configuration `step`), or what happens to the cloud in between; `Pack:`, `Config:` and `Target:` add
a policy pack, a configuration key and a target.
"""

import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.stack import Engine, Op, Request, Stack

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
EXPECTED = HERE / "expected"
STACK = "dev"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    source: Path
    operations: tuple[tuple[str, int], ...]
    pack: str = ""
    config: str = ""
    target: str = ""

    @property
    def expected(self):
        return EXPECTED / f"{self.name}.json"


def scenarios():
    return [scenario_of(path) for path in sorted((HERE / "programs").glob("*.py"))]


def scenario_of(path):
    head = path.read_text().split('"""')[1]
    found = dict(re.findall(r"^(Run|Pack|Config|Target): (.*)$", head, re.MULTILINE))
    operations = []
    for item in found["Run"].split(", "):
        command, _, step = item.partition(" ")
        operations.append((command, int(step or 0)))
    return Scenario(
        name=path.stem,
        source=path,
        operations=tuple(operations),
        pack=found.get("Pack", ""),
        config=found.get("Config", ""),
        target=found.get("Target", ""),
    )


def stack_of(scenario, folder):
    """Return the scenario's stack in a folder; its files are written when they are not there."""
    project = folder / "project"
    project.mkdir(parents=True, exist_ok=True)
    shutil.copy(scenario.source, project / "__main__.py")
    shutil.copy(HERE / "demo.py", project)
    (project / "Pulumi.yaml").write_text("name: parity\nruntime: python\n")
    cloud = folder / "cloud"
    cloud.mkdir(exist_ok=True)
    return Stack(
        name=STACK,
        cwd=project,
        home=folder / "home",
        config_file=project / f"Pulumi.{STACK}.yaml",
        environment={"DEMO_CLOUD": str(cloud)},
    )


def play(engine: Engine, scenario, folder):
    """Return a record for every operation; the folder gets project, home and cloud."""
    stack = stack_of(scenario, folder)
    cloud = folder / "cloud"
    records = []
    for command, step in scenario.operations:
        if command in {"seed", "drift", "calm"}:
            EVENTS[command](cloud)
            continue
        records.append(operate(engine, scenario, stack, command, step))
    return records


def operate(engine, scenario, stack, command, step):
    config = {"parity:step": str(step)}
    if scenario.config:
        key, _, value = scenario.config.format(step=step).partition("=")
        config[key] = value
    stack.config_file.write_text(yaml.safe_dump({"config": config}))
    result = getattr(engine, command)(stack, request_of(scenario, command, step))
    return record_of(f"{command} {step}", result)


def request_of(scenario, command, step):
    packs = command in {"preview", "up"} and scenario.pack
    targeted = scenario.target and step > 1
    return Request(
        policy_packs=(HERE / "packs" / scenario.pack,) if packs else (),
        targets=(scenario.target,) if targeted else (),
        quiet=True,
    )


def record_of(run, result):
    ordinary = [step for step in result.steps if ":providers:" not in step.type or named(step)]
    return {
        "run": run,
        "succeeded": result.ok,
        "steps": sorted(line_of(step, run) for step in ordinary),
        "findings": sorted(
            f"{finding.level} {finding.rule} {finding.urn.rsplit('::', 1)[-1]}"
            for finding in result.findings
        ),
    }


def named(step):
    return not (step.name == "default" or step.name.startswith("default_"))


def line_of(step, run):
    """A step as one line: what, of which type and name, and why.

    The CLI does not say which properties a refresh changed, nor mark what would fail in a preview.
    """
    line = f"{step.op.value} {step.type} {step.name}"
    if step.changed and step.op is not Op.SAME and not run.startswith("refresh"):
        line += f" changed={','.join(sorted(step.changed))}"
    if step.replacing:
        line += f" replacing={','.join(sorted(step.replacing))}"
    return line + (" failed" if step.failed and not run.startswith("preview") else "")


def seed(cloud):
    (cloud / "seeded.json").write_text(
        json.dumps({"value": "seed", "echo": "seed", "label": "seeded", "token": "token-seeded"})
    )


def drift(cloud):
    for file in cloud.glob("changed-*.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "value": "drifted"}))
    for file in [*cloud.glob("touched-*.json"), *cloud.glob("seeded.json")]:
        file.write_text(json.dumps({**json.loads(file.read_text()), "token": "drifted"}))
    for file in cloud.glob("gone-*.json"):
        file.unlink()


def calm(cloud):
    (cloud / "calm").touch()


EVENTS = {"seed": seed, "drift": drift, "calm": calm}


def install_demo(pulumi_home):
    """Put the plugin of the package `demo` where the Pulumi CLI looks for it."""
    folder = pulumi_home / "plugins" / "resource-demo-v1.0.0"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "pulumi-resource-demo"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}:{HERE}" exec "{sys.executable}" -m demo_provider "$@"\n'
    )
    script.chmod(0o755)
