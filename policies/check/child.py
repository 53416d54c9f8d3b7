"""The process that runs a Pulumi program without an engine and writes down what it registers.

Started as `python -m policies.check.child` with one JSON object as its argument.
"""

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any, Final

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks

from policies.check import stand_ins

_INTERNAL: Final = "__"
"""What begins so is the engine's own business; policies do not see it either."""


class _Cloud(mocks.Mocks):
    """Answers for the cloud; in a preview it computes nothing."""

    def __init__(self, *, preview: bool, look_ups: dict[str, Any]) -> None:
        self._preview = preview
        self._look_ups = look_ups

    def new_resource(self, args: Any) -> tuple[str | None, dict[str, Any]]:
        if self._preview and args.custom:
            return "", dict(args.inputs)
        inputs: dict[str, Any] = args.inputs
        return f"{args.name}-id", stand_ins.outputs(args.typ, args.name, inputs)

    def call(self, args: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        given: dict[str, Any] = args.args
        return stand_ins.look_up(args.token, given, self._look_ups), []


class _Recorder(mocks.MockMonitor):
    """Keeps every registration as the engine would show it to a policy."""

    def __init__(self, cloud: _Cloud) -> None:
        super().__init__(cloud)
        self.registrations: list[dict[str, Any]] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        parent: Any = super()
        response = parent.RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            props: dict[str, Any] = json_format.MessageToDict(request.object)
            self.registrations.append(
                {
                    "type": request.type,
                    "name": request.name,
                    "urn": response.urn,
                    "inputs": {k: v for k, v in props.items() if not k.startswith(_INTERNAL)},
                    "dependencies": list(request.dependencies),
                    "propertyDependencies": {
                        name: list(found.urns)
                        for name, found in request.propertyDependencies.items()
                    },
                }
            )
        return response


def run(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the program once and return its registrations."""
    main = Path(task["main"])
    pulumi.runtime.set_all_config(task["config"])
    recorder = _Recorder(_Cloud(preview=task["preview"], look_ups=task["look_ups"]))
    pulumi.runtime.set_mocks(
        recorder.mocks,
        project=task["project"],
        stack=task["stack"],
        preview=task["preview"],
        monitor=recorder,
    )
    os.chdir(main.parent)
    sys.path.insert(0, str(main.parent))

    def program() -> None:
        runpy.run_path(str(main), run_name="__main__")

    runtime: Any = pulumi.runtime
    runtime.test(program)()
    return recorder.registrations


def main() -> None:
    """Run the program that the argument describes and write what it registered into a file."""
    task: dict[str, Any] = json.loads(sys.argv[1])
    registrations = run(task)
    Path(task["result"]).write_text(json.dumps(registrations), encoding="utf-8")


if __name__ == "__main__":
    main()
