"""Policy packs as the engine uses them: as processes, configured, asked before every step.

Remediations come first, pack after pack, because each sees what the one before it changed; then
all packs analyse the result. Stack policies see the finished resources, at the end.
"""

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from sandbox.engine import policy_config, values
from sandbox.engine.plugins import Child
from sandbox.engine.project import Project, read_python
from sandbox.engine.report import Report
from sandbox.engine.state import Resource
from sandbox.stack import EngineError, Finding, Request

# What a violation of an enforcement level is; one that a remediation left forbids, too.
_LEVELS = ("advisory", "mandatory", "disabled", "mandatory")
_SEVERITIES = ("", "low", "medium", "high", "critical")


class Pack:
    """One running policy pack; its process starts while the program is loaded."""

    def __init__(
        self, folder: Path, config: Path | None, project: Project, report: Report, *, preview: bool
    ) -> None:
        # Both are used when the program has been given its own folder.
        self.folder = folder = folder.resolve()
        self._config = config.resolve() if config else None
        description, options = read_python(folder / "PulumiPolicy.yaml")
        self.version = str(description.get("version") or "0.0.1")
        own = folder / str(options.get("virtualenv")) / "bin" / "python"
        self._child = Child(
            f"the policy pack {folder}",
            "pulumi.policy",
            ["127.0.0.1:1", str(folder / description.get("main", "."))],
            environment={
                **project.environment,
                "PULUMI_CONFIG": json.dumps(dict(project.config)),
                "PULUMI_ORGANIZATION": "organization",
                "PULUMI_PROJECT": project.name,
                "PULUMI_STACK": project.stack,
                "PULUMI_DRY_RUN": "true" if preview else "false",
            },
            cwd=folder,
            python=str(own) if own.exists() else sys.executable,
            log=report.line,
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

    def remediate(self, request: analyzer_pb2.AnalyzeRequest) -> list[Finding]:
        """Let the pack change the properties in a request; return what it says of that."""
        if not self._remediates:
            return []
        remediations = self._ask("Remediate", request).remediations
        for item in remediations:
            if not item.diagnostic:
                request.properties.CopyFrom(item.properties)
        return [
            Finding(
                pack=self.name,
                pack_version=self.version,
                rule=item.policyName,
                level="advisory" if item.diagnostic else "remediate",
                message=item.diagnostic or item.description,
                urn=request.urn,
            )
            for item in remediations
        ]

    def analyze(self, method: str, request: Any, urn: str) -> list[Finding]:
        """Ask whether a resource, or all of a stack, violates a policy; `urn` is whose it is."""
        return [
            Finding(
                pack=self.name,
                pack_version=self.version,
                rule=item.policyName,
                level=_LEVELS[item.enforcementLevel],
                message=item.message,
                urn=item.urn or urn,
                severity=_SEVERITIES[item.severity],
            )
            for item in self._ask(method, request).diagnostics
        ]

    def close(self) -> None:
        """End the pack's process."""
        self._child.kill()


class Packs:
    """All packs of an operation; what they find is reported as it is found."""

    def __init__(
        self, request: Request, project: Project, report: Report, *, preview: bool
    ) -> None:
        configs = request.policy_pack_configs or (None,) * len(request.policy_packs)
        if len(configs) != len(request.policy_packs):
            raise EngineError("give one policy configuration per policy pack, in the same order")
        self._report = report
        self._packs = [
            Pack(folder, config, project, report, preview=preview)
            for folder, config in zip(request.policy_packs, configs, strict=True)
        ]
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(self._packs)))
        # The packs get ready while the program is imported; the first review waits for them.
        self._ready = [self._pool.submit(pack.configure) for pack in self._packs]

    def _wait(self) -> None:
        for future in self._ready:
            future.result()

    def review(
        self, resource: Resource, provider: Resource | None
    ) -> tuple[values.Properties, bool]:
        """Remediate and analyse; return the inputs to go on with, and if they are forbidden.

        Raises `EngineError` for a pack that does not start or fails.
        """
        if not self._packs:
            return resource.inputs, False
        self._wait()
        request = analyzer_pb2.AnalyzeRequest(**_described(resource, resource.inputs, provider))
        findings = [finding for pack in self._packs for finding in pack.remediate(request)]
        inputs = values.from_struct(request.properties)
        request.properties.CopyFrom(values.to_struct(_public(inputs)))
        for pack in self._packs:
            findings += pack.analyze("Analyze", request, resource.urn)
        return inputs, self._tell(findings)

    def review_stack(self, resources: Mapping[str, Resource], root: str) -> bool:
        """Run the stack policies; return whether one of them forbids what is there.

        A violation that names no resource is the stack's, whose URN is `root`.
        """
        if not self._packs:
            return False
        self._wait()
        request = analyzer_pb2.AnalyzeStackRequest()
        for each in resources.values():
            described = _described(each, _public(each.outputs), resources.get(each.provider_urn))
            request.resources.add(
                **described,
                parent=each.parent,
                dependencies=each.dependencies,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in each.property_dependencies.items()
                },
            )
        findings: list[Finding] = []
        for pack in self._packs:
            findings += pack.analyze("AnalyzeStack", request, root)
        return self._tell(findings)

    def _tell(self, findings: list[Finding]) -> bool:
        self._report.findings += findings
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
        deleteBeforeReplace=bool(resource.delete_before_replace),
        deleteBeforeReplaceDefined=resource.delete_before_replace is not None,
        ignoreChanges=resource.ignore_changes,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
            **resource.custom_timeouts
        ),
        parent=resource.parent,
    )
    return {
        "type": resource.type,
        "properties": values.to_struct(properties),
        "urn": resource.urn,
        "name": resource.name,
        "options": options,
        "provider": provider
        and analyzer_pb2.AnalyzerProviderResource(
            type=provider.type,
            properties=values.to_struct(_public(provider.inputs)),
            urn=provider.urn,
            name=provider.name,
        ),
    }
