"""Policy packs as the engine uses them: as processes, configured, asked before every step.

Remediations come first, pack after pack, because each sees what the one before it changed; then
all packs analyse the result. Stack policies see the finished resources, at the end.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest

from sandbox.engine import policy_config, values
from sandbox.engine.plugins import Child
from sandbox.engine.project import Project
from sandbox.engine.report import Reporter
from sandbox.engine.state import Resource
from sandbox.stack import EngineError, Finding, Request

_SEVERITIES = ("", "low", "medium", "high", "critical")


class Pack:
    """One running policy pack; its process starts while the program is loaded."""

    def __init__(
        self,
        folder: Path,
        config: Path | None,
        project: Project,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        *,
        preview: bool,
    ) -> None:
        # Both are used when the program has been given its own folder.
        self.folder = folder = folder.resolve()
        self._config = config.resolve() if config else None
        description = policy_config.describe(folder)
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
            python=policy_config.interpreter(folder, description),
            log=log,
        )
        self.name = folder.name

    def configure(self) -> None:
        """Give the pack its configuration."""
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._child.connect())
        info = self._ask("GetAnalyzerInfo", empty_pb2.Empty())
        self.name = info.name
        configured = policy_config.reconcile(info, self._config, self.folder)
        self._ask("Configure", analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=configured))
        # Which of the two calls there is anything for: a pack without remediations is not asked.
        levels = {configured[policy.name].enforcementLevel for policy in info.policies}
        self._remediates = policy_config.LEVELS.index("remediate") in levels

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
        changed, findings = None, []
        for item in self._ask("Remediate", request).remediations if self._remediates else ():
            level = "advisory" if item.diagnostic else "remediate"
            text = item.diagnostic or item.description
            findings.append(self._finding(item, level, text, request.urn))
            if not item.diagnostic:
                changed = values.from_struct(item.properties)
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
            level = policy_config.LEVELS[item.enforcementLevel]
            # A remediation that left a violation is as good as a mandatory policy.
            level = "mandatory" if level == "remediate" else level
            severity = _SEVERITIES[item.severity]
            found.append(self._finding(item, level, item.message, item.urn or urn, severity))
        return found

    def _finding(
        self, item: Any, level: str, message: str, urn: str, severity: str = ""
    ) -> Finding:
        return Finding(
            pack=self.name,
            pack_version=self.version,
            rule=item.policyName,
            level=level,
            message=message,
            urn=urn,
            severity=severity,
        )

    def close(self) -> None:
        """End the pack's process."""
        self._child.kill()


class Packs:
    """All packs of an operation; what they find is reported as it is found."""

    def __init__(
        self,
        request: Request,
        project: Project,
        environment: Mapping[str, str],
        reporter: Reporter,
        *,
        preview: bool,
    ) -> None:
        configs = request.policy_pack_configs or (None,) * len(request.policy_packs)
        if len(configs) != len(request.policy_packs):
            raise EngineError("give one policy configuration per policy pack, in the same order")
        self._report = reporter
        self._packs = [
            Pack(folder, config, project, environment, reporter.line, preview=preview)
            for folder, config in zip(request.policy_packs, configs, strict=True)
        ]
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(self._packs)))
        # The packs get ready while the program is imported; the first review waits for them.
        self._ready = [self._pool.submit(pack.configure) for pack in self._packs]

    def _wait(self) -> None:
        for future in self._ready:
            future.result()

    def review(
        self, resource: Resource, goal: RegisterResourceRequest, provider: Resource | None
    ) -> tuple[values.Properties, bool]:
        """Remediate and analyse; return the inputs to go on with, and if they are forbidden.

        Raises `EngineError` for a pack that does not start or fails.
        """
        self._wait()
        inputs, findings = resource.inputs, []
        if self._packs:
            request = analyzer_pb2.AnalyzeRequest(**_described(resource, inputs, provider))
            request.options.deleteBeforeReplace = goal.deleteBeforeReplace
            request.options.deleteBeforeReplaceDefined = goal.deleteBeforeReplaceDefined
            for pack in self._packs:
                changed, told = pack.remediate(request)
                findings += told
                if changed is not None:
                    inputs = changed
                    request.properties.CopyFrom(values.to_struct(inputs))
            request.properties.CopyFrom(values.to_struct(_public(inputs)))
            for pack in self._packs:
                findings += pack.analyze(request)
        return inputs, self._tell(findings)

    def review_stack(
        self, resources: Iterable[Resource], providers: Mapping[str, Resource], root: str
    ) -> bool:
        """Run the stack policies; return whether one of them forbids what is there.

        A violation that names no resource is the stack's, whose URN is `root`.
        """
        self._wait()
        messages = [
            analyzer_pb2.AnalyzerResource(
                **_described(each, _public(each.outputs), providers.get(each.provider_urn)),
                parent=each.parent,
                dependencies=each.dependencies,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in each.property_dependencies.items()
                },
            )
            for each in (resources if self._packs else ())
        ]
        found = [pack.analyze_stack(messages, root) for pack in self._packs]
        return self._tell([finding for findings in found for finding in findings])

    def _tell(self, findings: list[Finding]) -> bool:
        for finding in findings:
            self._report.finding(finding)
        return any(finding.level == "mandatory" for finding in findings)

    def close(self) -> None:
        """End every pack."""
        self._report.packs = [(pack.name, pack.version, str(pack.folder)) for pack in self._packs]
        self._pool.shutdown(wait=False, cancel_futures=True)
        for pack in self._packs:
            pack.close()


def _public(properties: Mapping[str, Any]) -> values.Properties:
    return {key: value for key, value in properties.items() if not key.startswith("__")}


def _described(
    resource: Resource, properties: values.Properties, provider: Resource | None
) -> dict[str, Any]:
    """Return what both kinds of request say of a resource."""
    options = analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
            **resource.custom_timeouts
        ),
        parent=resource.parent,
    )
    described: dict[str, Any] = {
        "type": resource.type,
        "properties": values.to_struct(properties),
        "urn": resource.urn,
        "name": resource.name,
        "options": options,
    }
    if provider is not None:
        described["provider"] = analyzer_pb2.AnalyzerProviderResource(
            type=provider.type,
            properties=values.to_struct(_public(provider.inputs)),
            urn=provider.urn,
            name=provider.name,
        )
    return described
