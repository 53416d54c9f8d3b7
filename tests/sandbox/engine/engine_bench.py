"""A project of one file, and the built-in engine with the test provider `demo`."""

import textwrap
from pathlib import Path

from demo_provider import Demo

from sandbox.engine import BuiltinEngine
from sandbox.engine.plugins import Plugin
from sandbox.stack import Request, Stack

PARITY = Path(__file__).parent / "parity"
QUIET = Request(quiet=True)


class Bench:
    """A program that a test writes anew for every step, deployed to a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.cloud = folder / "cloud"
        self.cloud.mkdir()
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "demo.py").write_text((PARITY / "demo.py").read_text())
        self.describe("name: bench\nruntime: python\n")
        self.configure("config: {bench:step: 1}\n")
        self.engine = BuiltinEngine({"demo": Plugin(servicer=lambda: Demo(self.cloud))})
        self.stack = Stack(
            name="dev",
            cwd=self.project,
            home=folder / "home",
            environment={"DEMO_CLOUD": str(self.cloud)},
        )

    @property
    def state(self):
        return self.folder / "home" / "state" / "bench" / "dev.json"

    def describe(self, text):
        (self.project / "Pulumi.yaml").write_text(text)

    def configure(self, text):
        (self.project / "Pulumi.dev.yaml").write_text(text)

    def program(self, text):
        head = "import pulumi\nfrom pulumi import ResourceOptions\nfrom demo import *\n"
        (self.project / "__main__.py").write_text(head + textwrap.dedent(text))

    def up(self, text=None, **options):
        return self._run("up", text, options)

    def preview(self, text=None, **options):
        return self._run("preview", text, options)

    def _run(self, operation, text, options):
        if text is not None:
            self.program(text)
        request = Request(quiet=True, **options) if options else QUIET
        return getattr(self.engine, operation)(self.stack, request)

    def things(self):
        """Names of what is in the cloud, without the random part of their ids."""
        return sorted(path.stem.rsplit("-", 1)[0] for path in self.cloud.glob("*.json"))


def errors(result):
    return "\n".join(d.message for d in result.diagnostics if d.severity == "error")


def ops(result):
    return [f"{step.op} {step.name}" for step in result.changes]
