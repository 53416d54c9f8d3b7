"""Policy packs as the CLI runs them: a process each, configured, asked before every step.

Remediations come first, pack after pack, because each sees what the one before it changed; then
all packs analyse the result. Stack policies see the finished resources, at the end.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from sandbox.engine import values
from sandbox.engine.checkpoint import Resource
from sandbox.engine.plugins import Child
from sandbox.engine.project import Project
from sandbox.stack import EngineError, Finding

_LEVELS = {"advisory": 0, "mandatory": 1, "disabled": 2, "remediate": 3}
_LEVEL_NAMES = {number: name for name, number in _LEVELS.items()}
_SEVERITIES = ("", "low", "medium", "high", "critical")
_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}


class Pack:
    """One running policy pack."""

    def __init__(
        self,
        folder: Path,
        config: Path | None,
        project: Project,
        *,
        preview: bool,
        environment: Mapping[str, str],
        log: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self._config = config
        description = _read_description(folder)
        self.version = str(description.get("version") or "0.0.1")
        self._child = Child(
            f"the policy pack {folder}",
            "pulumi.policy",
            ["127.0.0.1:1", str(folder / description.get("main", "."))],
            environment={
                **environment,
                "PULUMI_CONFIG": json.dumps(dict(project.config)),
                "PULUMI_ORGANIZATION": "organization",
                "PULUMI_PROJECT": project.name,
                "PULUMI_STACK": project.stack,
                "PULUMI_DRY_RUN": "true" if preview else "false",
            },
            cwd=folder,
            python=_python(folder, description),
            log=log,
        )
        self.name = folder.name

    def configure(self) -> None:
        """Give the pack its configuration; the process has started while the program was loaded."""
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._child.channel())
        info = self._ask("GetAnalyzerInfo", empty_pb2.Empty())
        self.name = info.name
        given = _read_config(self._config) if self._config else {}
        configured = _reconcile(info, given, self.folder)
        self._ask("Configure", analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=configured))
        # Which of the two calls there is anything for: a pack without remediations is not asked.
        levels = {policy.name: configured[policy.name].enforcementLevel for policy in info.policies}
        self._remediates = _LEVELS["remediate"] in levels.values()

    def _ask(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            detail = error.details() if isinstance(error, grpc.Call) else str(error)
            raise EngineError(f"failed to run policy pack {self.name}: {detail}") from None

    def remediate(
        self, request: analyzer_pb2.AnalyzeRequest
    ) -> tuple[values.Properties | None, list[Finding]]:
        """Let the pack change a resource's inputs; return them if it did, and what it says."""
        if not self._remediates:
            return None, []
        changed = None
        findings: list[Finding] = []
        for item in self._ask("Remediate", request).remediations:
            if item.diagnostic:
                findings.append(
                    self._finding(item.policyName, "advisory", item.diagnostic, request.urn)
                )
                continue
            changed = values.from_struct(item.properties)
            findings.append(
                self._finding(item.policyName, "remediate", item.description, request.urn)
            )
        return changed, findings

    def analyze(self, request: analyzer_pb2.AnalyzeRequest) -> list[Finding]:
        """Ask whether a resource violates a policy."""
        return self._violations(self._ask("Analyze", request).diagnostics, request.urn)

    def analyze_stack(
        self, resources: Iterable[analyzer_pb2.AnalyzerResource], root: str
    ) -> list[Finding]:
        """Ask whether the finished resources violate a policy together."""
        request = analyzer_pb2.AnalyzeStackRequest(resources=resources)
        return self._violations(self._ask("AnalyzeStack", request).diagnostics, root)

    def _violations(self, diagnostics: Iterable[Any], urn: str) -> list[Finding]:
        found: list[Finding] = []
        for item in diagnostics:
            level = _LEVEL_NAMES[item.enforcementLevel]
            # A remediation that left a violation is as good as a mandatory policy.
            level = "mandatory" if level == "remediate" else level
            severity = _SEVERITIES[item.severity]
            found.append(
                self._finding(item.policyName, level, item.message, item.urn or urn, severity)
            )
        return found

    def _finding(
        self, rule: str, level: str, message: str, urn: str, severity: str = ""
    ) -> Finding:
        return Finding(
            pack=self.name,
            pack_version=self.version,
            rule=rule,
            level=level,
            message=message,
            urn=urn,
            severity=severity,
        )

    def close(self) -> None:
        """End the pack's process."""
        self._child.kill()


class Packs:
    """All packs of an operation; what they report is passed to `report` as it is found."""

    def __init__(self, packs: list[Pack], report: Callable[[Finding], None]) -> None:
        self._packs = packs
        self._report = report
        self._pool = ThreadPoolExecutor(max_workers=max(1, 8 * len(packs)))
        # The packs get ready while the program is imported; the first review waits for them.
        self._ready = [self._pool.submit(pack.configure) for pack in packs]

    @property
    def names(self) -> list[tuple[str, str, str]]:
        """Name, version and folder of every pack."""
        return [(pack.name, pack.version, str(pack.folder)) for pack in self._packs]

    def wait(self) -> None:
        """Wait until every pack is ready; raise `EngineError` for one that does not start."""
        for future in self._ready:
            future.result()

    def review(
        self, resource: Resource, options: Mapping[str, Any], provider: Resource | None
    ) -> tuple[values.Properties, bool]:
        """Remediate and analyse; return the inputs to go on with, and if they are forbidden."""
        if not self._packs:
            return resource.inputs, False
        self.wait()
        request = _request(resource, resource.inputs, options, provider)
        inputs = resource.inputs
        for pack in self._packs:
            changed, findings = pack.remediate(request)
            self._tell(findings)
            if changed is not None:
                inputs = changed
                request = _request(resource, inputs, options, provider)
        request.properties.CopyFrom(values.to_struct(_public(inputs)))
        if len(self._packs) == 1:
            return inputs, self._tell(self._packs[0].analyze(request))
        results = list(self._pool.map(lambda pack: pack.analyze(request), self._packs))
        return inputs, self._tell([finding for findings in results for finding in findings])

    def review_stack(
        self, resources: Iterable[Resource], providers: Mapping[str, Resource], root: str
    ) -> bool:
        """Run the stack policies; return whether one of them forbids what is there.

        A violation that names no resource is the stack's, whose URN is `root`.
        """
        if not self._packs:
            return False
        self.wait()
        messages = [
            _stack_resource(resource, providers.get(resource.provider.rpartition("::")[0]))
            for resource in resources
        ]
        results = self._pool.map(lambda pack: pack.analyze_stack(messages, root), self._packs)
        return self._tell([finding for findings in results for finding in findings])

    def _tell(self, findings: list[Finding]) -> bool:
        for finding in findings:
            self._report(finding)
        return any(finding.level == "mandatory" for finding in findings)

    def close(self) -> None:
        """End every pack."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for pack in self._packs:
            pack.close()


def _public(properties: Mapping[str, Any]) -> values.Properties:
    return {key: value for key, value in properties.items() if not key.startswith("__")}


def _provider(provider: Resource | None) -> analyzer_pb2.AnalyzerProviderResource | None:
    if provider is None:
        return None
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.resource_type,
        properties=values.to_struct(_public(provider.inputs)),
        urn=provider.urn,
        name=provider.name,
    )


def _options(resource: Resource, **more: Any) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
            **resource.custom_timeouts
        ),
        parent=resource.parent,
        **more,
    )


def _request(
    resource: Resource,
    inputs: values.Properties,
    options: Mapping[str, Any],
    provider: Resource | None,
) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(
        type=resource.resource_type,
        properties=values.to_struct(inputs),
        urn=resource.urn,
        name=resource.name,
        options=_options(resource, **options),
        provider=_provider(provider),
    )


def _stack_resource(resource: Resource, provider: Resource | None) -> analyzer_pb2.AnalyzerResource:
    dependencies = {
        key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
        for key, urns in resource.property_dependencies.items()
    }
    return analyzer_pb2.AnalyzerResource(
        type=resource.resource_type,
        properties=values.to_struct(_public(resource.outputs)),
        urn=resource.urn,
        name=resource.name,
        options=_options(resource),
        provider=_provider(provider),
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies=dependencies,
    )


def _read_description(folder: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load((folder / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise EngineError(f"{folder} is not a policy pack: {error}") from error
    runtime = found.get("runtime") if isinstance(found, dict) else None
    language = runtime.get("name") if isinstance(runtime, dict) else runtime
    if language != "python":
        raise EngineError(
            f"{folder / 'PulumiPolicy.yaml'}: runtime must be python, is {language!r}"
        )
    return found


def _python(folder: Path, description: Mapping[str, Any]) -> str:
    """Return the interpreter that the pack names, if it is there; else the one that runs us."""
    runtime = description["runtime"]
    options = runtime.get("options") or {} if isinstance(runtime, dict) else {}
    if virtualenv := options.get("virtualenv"):
        python = folder / virtualenv / "bin" / "python"
        if python.exists():
            return str(python)
    return sys.executable


def _read_config(path: Path) -> dict[str, dict[str, Any]]:
    """Read a `--policy-pack-config` file: a level or an object per policy, `all` for every one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"the policy configuration {path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise EngineError(f"the policy configuration {path} must be a JSON object")
    content.pop("environments", None)
    return {
        name: {"enforcementLevel": entry} if isinstance(entry, str) else dict(entry)
        for name, entry in content.items()
    }


def _reconcile(
    info: analyzer_pb2.AnalyzerInfo, given: Mapping[str, Mapping[str, Any]], folder: Path
) -> dict[str, analyzer_pb2.PolicyConfig]:
    """Merge defaults, the pack's initial configuration and the caller's, in that order."""
    initial = {
        name: {**values.from_struct(entry.properties), "enforcementLevel": entry.enforcementLevel}
        for name, entry in info.initialConfig.items()
    }
    result: dict[str, analyzer_pb2.PolicyConfig] = {}
    for policy in info.policies:
        schema = values.from_struct(policy.configSchema.properties)
        merged: dict[str, Any] = {"enforcementLevel": policy.enforcementLevel}
        merged.update({key: e["default"] for key, e in schema.items() if "default" in e})
        for source in (initial, given):
            # `all` carries a level only.
            if "enforcementLevel" in source.get("all", {}):
                merged["enforcementLevel"] = source["all"]["enforcementLevel"]
            merged.update(source.get(policy.name, {}))
        level: Any = merged.pop("enforcementLevel")
        if isinstance(level, str):
            if level not in _LEVELS:
                raise EngineError(f"{policy.name}: {level!r} is not an enforcement level")
            level = _LEVELS[level]
        _verify(policy.name, schema, list(policy.configSchema.required), merged, folder)
        result[policy.name] = analyzer_pb2.PolicyConfig(
            enforcementLevel=level, properties=values.to_struct(merged)
        )
    return result


def _verify(
    name: str,
    schema: Mapping[str, Any],
    required: list[str],
    given: Mapping[str, Any],
    folder: Path,
) -> None:
    for key in required:
        if key not in given:
            raise EngineError(f"policy {name} of {folder} needs the configuration {key!r}")
    for key, value in given.items():
        entry = schema.get(key, {})
        wanted = entry.get("type")
        if wanted in _JSON_TYPES and not isinstance(value, _JSON_TYPES[wanted]):
            raise EngineError(f"policy {name}: {key!r} must be of type {wanted}, is {value!r}")
        if "enum" in entry and value not in entry["enum"]:
            raise EngineError(
                f"policy {name}: {key!r} must be one of {entry['enum']}, is {value!r}"
            )
