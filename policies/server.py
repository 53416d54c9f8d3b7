"""The pack's own analyzer: one decoding of a resource for all rules, and none where no rule cares.

The SDK's server deserialises the properties and wraps them in proxies once per policy, whatever the
resource's type. This one keeps the SDK's description of the pack and answers the calls itself.
"""

import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent import futures
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import (  # the SDK has no public server to build on
    _PolicyAnalyzerServicer as PolicyAnalyzerServicer,  # pyright: ignore[reportPrivateUsage]
)

from policies import configuration, pack, wire
from policies.configuration import ConfigurationError, Configured
from policies.evaluation import Evaluation
from policies.exemptions import Exemptions
from policies.kinds import kind_of, terraform_view_kind
from policies.model import Registered, Resource
from policies.rule import Enforcement, Rule
from policies.table import RULES
from policies.values import Props
from policies.verdict import Exempted, PutOff, Verdict, judge

_MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024
_VERSION: Final = "0.0.1"  # the CLI takes the version from PulumiPolicy.yaml
_LEVELS: Final[Mapping[Enforcement, Any]] = {
    Enforcement.ADVISORY: proto.ADVISORY,
    Enforcement.MANDATORY: proto.MANDATORY,
    Enforcement.DISABLED: proto.DISABLED,
}
_SEVERITIES: Final[Mapping[str, Any]] = {
    "low": proto.POLICY_SEVERITY_LOW,
    "medium": proto.POLICY_SEVERITY_MEDIUM,
    "high": proto.POLICY_SEVERITY_HIGH,
    "critical": proto.POLICY_SEVERITY_CRITICAL,
}


class Analyzer(PolicyAnalyzerServicer):
    """Answers the engine's calls; safe to be called from several threads."""

    def __init__(
        self, rules: tuple[Rule, ...] = RULES, *, exemptions: Exemptions | None = None
    ) -> None:
        super().__init__(
            pack.NAME,
            _VERSION,
            pack.policies(rules),
            EnforcementLevel.ADVISORY,
            description=pack.DESCRIPTION,
        )
        self._rules = rules
        self._exemptions = exemptions or Exemptions(rule.name for rule in rules)
        self._stage, self._api_id = configuration.stage_of_process()
        self._options: dict[str, Mapping[str, Any]] = {}
        self._given_levels: dict[str, Enforcement] = {}
        self._configured, self._evaluation = self._configure()

    def _configure(self) -> tuple[Configured, Evaluation]:
        configured = configuration.configure(
            self._rules,
            self._options,
            self._given_levels,
            exemptions=self._exemptions,
            stage=self._stage,
            api_id=self._api_id,
        )
        return configured, Evaluation(configured.rules, configured.settings)

    def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Take options and levels; what the pack does not know ends the operation."""
        levels = {proto_level: level for level, proto_level in _LEVELS.items()}
        # Nothing here is remediated: what asks for it is held to the level above.
        levels[proto.REMEDIATE] = Enforcement.MANDATORY
        policies: Mapping[str, Any] = request.policyConfig
        self._options = {
            name: json_format.MessageToDict(given.properties) for name, given in policies.items()
        }
        self._given_levels = {
            name: levels[given.enforcementLevel] for name, given in policies.items()
        }
        try:
            self._configured, self._evaluation = self._configure()
        except ConfigurationError as error:
            if _context is not None:
                _context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            raise
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Learn which stage the stack works on."""
        self._stage, self._api_id = configuration.stage_of(request.stack, request.config)
        self._configured, self._evaluation = self._configure()
        return proto.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Run the rules over one resource's inputs."""
        evaluation = self._evaluation
        kind = kind_of(request.type)
        if not evaluation.wants(kind):
            return _NOTHING_TO_SAY
        return self._answer(judge(evaluation.check(_resource(request, kind)), self._exemptions))

    def AnalyzeStack(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Run the rules over a whole stack, all in one pass."""
        evaluation = self._evaluation
        registered: list[Registered] = []
        for entry in request.resources:
            kind = kind_of(entry.type)
            if evaluation.wants_in_stack(kind) or terraform_view_kind(entry.type):
                registered.append(_registered(entry, kind))
        return self._answer(judge(evaluation.check_stack(registered), self._exemptions))

    def Remediate(self, request: Any, _context: Any) -> Any:  # noqa: ARG002, N802
        """Change nothing: the pack has no remediations."""
        return _NOTHING_TO_CHANGE

    def _answer(self, verdicts: Iterable[Verdict]) -> Any:
        response = proto.AnalyzeResponse()
        for verdict in verdicts:
            rule = verdict.rule
            if isinstance(verdict, PutOff | Exempted):
                response.not_applicable.append(
                    proto.PolicyNotApplicable(
                        policy_name=rule.name,
                        reason=f"{verdict.resource.label}: {verdict.reason}",
                    )
                )
                continue
            response.diagnostics.append(
                proto.AnalyzeDiagnostic(
                    policyName=rule.name,
                    policyPackName=pack.NAME,
                    policyPackVersion=_VERSION,
                    description=rule.stops,
                    message=f"{rule.stops}\n{verdict.message}",
                    urn=verdict.resource.urn,
                    enforcementLevel=_LEVELS[self._configured.levels[rule.name]],
                    severity=_SEVERITIES[rule.severity.value],
                )
            )
        return response


_NOTHING_TO_SAY: Final = proto.AnalyzeResponse()
_NOTHING_TO_CHANGE: Final = proto.RemediateResponse()


def _resource(request: Any, kind: str | None) -> Resource:
    return Resource(
        type=request.type,
        kind=kind,
        name=request.name,
        urn=request.urn,
        props=Props(wire.from_struct(request.properties)),
    )


def _registered(entry: Any, kind: str | None) -> Registered:
    return Registered(
        resource=_resource(entry, kind),
        dependencies=tuple(entry.dependencies),
        property_dependencies={
            name: tuple(dependencies.urns)
            for name, dependencies in entry.propertyDependencies.items()
        },
    )


def serve() -> None:
    """Serve the pack to the engine that started this process, until it ends the process."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4),
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES)],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # The engine reads the port from the first line, and nothing may precede it.
    sys.stdout.buffer.write(f"{port}\n".encode())
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop(0)
