"""The real `pulumi` in the shape of `sandbox.stack.Engine`, kept apart from the user's own.

It has its own home, file backend, passphrase and plugins below the sandbox's folder, and a copy of
the stack's configuration there, because the CLI writes its salt into that file.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import yaml

from sandbox.engine.display import print_document
from sandbox.engine.lock import taken
from sandbox.engine.project import find_root, surroundings
from sandbox.engine.secrets import passphrase
from sandbox.stack import Diagnostic, EngineError, Finding, Op, Request, Result, Stack, Step

_LEVELS = {"warning": "advisory"}
_CHANGING = {"up", "refresh", "destroy", "import"}
# How long the kernel may take to end a killed CLI and give its lock back.
_ENDING_SECONDS = 2.0
# Called before every operation with the CLI's home, to put the sandbox's plugins there.
Install = Callable[[Path], None]


def _install_aws(pulumi_home: Path) -> None:
    from sandbox.aws.install import install

    install(pulumi_home)


class PulumiCli:
    """Drives the CLI; `install` puts provider plugins into its home."""

    name = "pulumi"

    def __init__(self, install: Install = _install_aws) -> None:
        self._install = install

    def preview(self, stack: Stack, request: Request) -> Result:
        """Say what `up` would do, without doing it."""
        return self._operate(stack, request, "preview")

    def up(self, stack: Stack, request: Request) -> Result:
        """Bring the stack to what its program says."""
        return self._operate(stack, request, "up", "--yes", "--skip-preview")

    def refresh(self, stack: Stack, request: Request) -> Result:
        """Bring the state to what the provider finds."""
        extra = ("--yes", "--skip-preview", "--clear-pending-creates")
        return self._operate(stack, request, "refresh", *extra)

    def destroy(self, stack: Stack, request: Request) -> Result:
        """Delete every resource of the stack."""
        return self._operate(stack, request, "destroy", "--yes", "--skip-preview")

    def outputs(self, stack: Stack, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack's outputs; a secret reads `[secret]` unless shown."""
        shown = ("--show-secrets",) if show_secrets else ()
        return json.loads(self._ask(stack, "stack", "output", "--json", *shown))

    def export(self, stack: Stack) -> dict[str, Any]:
        """Return the state in the form of `pulumi stack export`."""
        return json.loads(self._ask(stack, "stack", "export"))

    def import_(self, stack: Stack, deployment: Mapping[str, Any]) -> None:
        """Replace the state by one that `export` gave."""
        self._ask(stack, "stack", "import", text=json.dumps(deployment))

    def _operate(self, stack: Stack, request: Request, command: str, *extra: str) -> Result:
        if command != "refresh":
            extra += tuple(f"--policy-pack={pack.resolve()}" for pack in request.policy_packs)
            extra += tuple(
                f"--policy-pack-config={file.resolve()}" for file in request.policy_pack_configs
            )
        extra += tuple(f"--target={urn}" for urn in request.targets)
        extra += ("--diff",) if request.diff else ()
        extra += (f"--parallel={request.parallel}",)
        began = monotonic()
        with tempfile.TemporaryDirectory() as folder:
            # On a terminal the CLI draws its own tree; a log is all that a result is read from.
            log = Path(folder) / "events.json"
            quiet = request.quiet or request.json
            finished = self._run(stack, command, *extra, f"--event-log={log}", capture=quiet)
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        events = [json.loads(line) for line in lines]
        result = _result(events, finished.returncode, monotonic() - began)
        said = f"{finished.stdout or ''}{finished.stderr or ''}".strip()
        if finished.returncode and not result.diagnostics and not result.findings and said:
            print(said, file=sys.stderr)
        if result.ok and command != "preview":
            outputs = self.outputs(stack, show_secrets=True)
            result = replace(result, outputs=outputs)
        if request.json:
            print_document(result, sys.stdout)
        return result

    def _ask(self, stack: Stack, *arguments: str, text: str | None = None) -> str:
        finished = self._run(stack, *arguments, capture=True, text=text)
        if finished.returncode:
            raise EngineError(f"pulumi {' '.join(arguments[:2])}: {finished.stderr.strip()}")
        return finished.stdout

    def _run(
        self, stack: Stack, *arguments: str, capture: bool, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        binary = shutil.which("pulumi")
        if binary is None:
            raise EngineError("pulumi is not on PATH; ENGINE=builtin needs no CLI")
        environment = self._environment(stack)
        home = Path(environment["PULUMI_HOME"])
        home.mkdir(parents=True, exist_ok=True)
        self._install(home)
        # What is about the stack alone runs beside the copy of its configuration, because
        # `stack init` would write a salt into the project's own file.
        beside = _own_project(stack)
        config = beside / f"Pulumi.{stack.name}.yaml"

        def run(
            cwd: Path, *more: str, capture: bool, passed: tuple[int, ...] = ()
        ) -> subprocess.CompletedProcess[str]:
            colour = "auto" if sys.stdout.isatty() and not capture else "never"
            with _unhurried():
                return subprocess.run(
                    [binary, *more, "--non-interactive", "--color", colour],
                    cwd=cwd,
                    env=environment,
                    capture_output=capture,
                    text=True,
                    input=text,
                    check=False,
                    pass_fds=passed,
                )

        kept = stack.home / "backend" / ".pulumi"
        if not (kept / "stacks" / beside.name / f"{stack.name}.json").exists():
            made = run(beside, "stack", "select", stack.name, "--create", capture=True)
            if made.returncode:
                raise EngineError(f"pulumi stack select: {made.stderr.strip()}")
        cwd, named = stack.cwd, ("--stack", stack.name, "--config-file", str(config))
        if arguments[0] == "stack":
            cwd, named = beside, named[:2]
        if _CHANGING.isdisjoint(arguments[:2]):
            return run(cwd, *arguments, *named, capture=capture)
        locks = kept / "locks" / "organization" / beside.name / stack.name
        with _alone(config.with_suffix(".lock"), locks) as lock:
            return run(cwd, *arguments, *named, capture=capture, passed=(lock,))

    def _environment(self, stack: Stack) -> dict[str, str]:
        home = stack.home.resolve()
        # The program runs on the interpreter that runs us, whatever is first on PATH.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return {
            **surroundings(stack.environment),
            "PATH": path,
            "PULUMI_HOME": str(home / "pulumi-home"),
            "PULUMI_BACKEND_URL": f"file://{home / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": passphrase(stack.home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # What the flag --event-log needs to be there.
            "PULUMI_DEBUG_COMMANDS": "true",
        }


@contextmanager
def _unhurried() -> Generator[None]:
    """Leave Ctrl-C to the CLI, which the terminal sends it to as well, and wait for its end.

    It records what it was at and gives its lock back; a killed one does neither.
    """
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _alone(lock: Path, left_behind: Path) -> Generator[int]:
    """Work on a stack while nobody else does; the CLI inherits the lock, an open file.

    The kernel gives it back with the last process that has it, which the CLI's own locks do not
    know: what a killed CLI left behind of those is thrown away.
    """
    with lock.open("w") as file:
        if not taken(file, _ENDING_SECONDS):
            raise EngineError("another `pulumi` is at work on the stack: wait for it")
        for each in left_behind.glob("*.json"):
            each.unlink()
        yield file.fileno()


def _own_project(stack: Stack) -> Path:
    """Bring the CLI's copy of the configuration up to date; its salt stays once it has one."""
    root = find_root(stack.cwd)
    described = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
    folder = stack.home.resolve() / "backend" / "config" / described["name"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": described["name"], "runtime": "python"})
    )
    source = stack.config_file or root / f"Pulumi.{stack.name}.yaml"
    copy = folder / f"Pulumi.{stack.name}.yaml"
    content = (yaml.safe_load(source.read_text()) or {}) if source.is_file() else {}
    known = (yaml.safe_load(copy.read_text()) or {}) if copy.is_file() else {}
    if "encryptionsalt" in known:
        content.setdefault("encryptionsalt", known["encryptionsalt"])
    copy.write_text(yaml.safe_dump(content))
    return folder


def _result(events: list[dict[str, Any]], exit_code: int, duration: float) -> Result:
    def of(*kinds: str) -> list[dict[str, Any]]:
        return [event[kind] for event in events for kind in kinds if kind in event]

    failed = {(each["metadata"]["urn"], each["metadata"]["op"]) for each in of("resOpFailedEvent")}
    # What a refresh came to is known only when it has ended.
    ended = {each["metadata"]["urn"]: each["metadata"]["op"] for each in of("resOutputsEvent")}
    summaries = [each.get("resourceChanges") or {} for each in of("summaryEvent")]
    return Result(
        exit_code=exit_code,
        summary=summaries[-1] if summaries else {},
        steps=tuple(_step(each["metadata"], ended, failed) for each in of("resourcePreEvent")),
        findings=tuple(map(_finding, of("policyEvent", "policyRemediationEvent"))),
        diagnostics=tuple(
            Diagnostic(
                severity=each["severity"].removesuffix("#err"),
                message=each["message"].strip(),
                urn=each.get("urn", ""),
            )
            for each in of("diagnosticEvent")
            if each["severity"] != "debug" and not each.get("ephemeral")
        ),
        duration=duration,
    )


def _step(
    metadata: Mapping[str, Any], ended: Mapping[str, str], failed: set[tuple[str, str]]
) -> Step:
    op, urn = metadata["op"], metadata["urn"]
    return Step(
        op=Op(ended.get(urn, op) if op == Op.REFRESH else op),
        urn=urn,
        type=metadata["type"],
        changed=tuple(metadata.get("diffs") or ()),
        replacing=tuple(metadata.get("keys") or ()),
        failed=(urn, op) in failed,
    )


def _finding(event: Mapping[str, Any]) -> Finding:
    level: str = event.get("enforcementLevel", "remediate")
    return Finding(
        pack=event["policyPackName"],
        pack_version=event["policyPackVersion"],
        rule=event["policyName"],
        level=_LEVELS.get(level, level),
        message=event.get("message", ""),
        urn=event.get("resourceUrn", ""),
        severity=event.get("severity", ""),
    )
