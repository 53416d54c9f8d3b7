"""The pack's own analyzer: one decoding of a resource for all rules, and none where no rule cares.

The SDK's server deserialises the properties and wraps them in proxies once per policy, whatever the
resource's type. This one keeps the SDK's description of the pack and answers the calls itself.
"""

import sys
import threading
from collections.abc import Sequence
from concurrent import futures
from typing import Any, Final

import grpc
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import (  # the SDK has no public server to build on
    _PolicyAnalyzerServicer as PolicyAnalyzerServicer,  # pyright: ignore[reportPrivateUsage]
)

from policies import pack, wire
from policies.evaluation import Evaluation
from policies.kinds import kind_of
from policies.resource import Deferred, Resource
from policies.rule import Outcome, Rule
from policies.settings import Settings
from policies.table import RULES
from policies.values import Props

_MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024
_LEVELS: Final = {
    "advisory": proto.ADVISORY,
    "mandatory": proto.MANDATORY,
    "disabled": proto.DISABLED,
}
_SEVERITIES: Final = {
    "low": proto.POLICY_SEVERITY_LOW,
    "medium": proto.POLICY_SEVERITY_MEDIUM,
    "high": proto.POLICY_SEVERITY_HIGH,
    "critical": proto.POLICY_SEVERITY_CRITICAL,
}


class Analyzer(PolicyAnalyzerServicer):
    """Answers the engine's calls; safe to be called from several threads."""

    def __init__(self, rules: Sequence[Rule] = RULES, version: str = "0.0.1") -> None:
        super().__init__(
            pack.NAME,
            version,
            pack.policies(rules),
            EnforcementLevel.ADVISORY,
            description=pack.DESCRIPTION,
        )
        self._version = version
        self._rules = {rule.name: rule for rule in rules}
        self._levels = {rule.name: _LEVELS[rule.enforcement.value] for rule in rules}
        self._evaluation = Evaluation(rules, Settings())

    def Analyze(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Run the rules over one resource's inputs."""
        response = proto.AnalyzeResponse()
        kind = kind_of(request.type)
        if not self._evaluation.wants(kind):
            return response
        resource = Resource(
            type=request.type,
            kind=kind,
            name=request.name,
            urn=request.urn,
            props=Props(wire.from_struct(request.properties)),
        )
        for rule, outcome in self._evaluation.check(resource):
            self._report(response, rule, outcome)
        return response

    def AnalyzeStack(self, request: Any, _context: Any) -> Any:  # noqa: ARG002, N802
        """Run the rules that look at a whole stack."""
        return proto.AnalyzeResponse()

    def Remediate(self, request: Any, _context: Any) -> Any:  # noqa: ARG002, N802
        """Change nothing: the pack has no remediations."""
        return proto.RemediateResponse()

    def _report(self, response: Any, rule: Rule, outcome: Outcome) -> None:
        if isinstance(outcome, Deferred):
            response.not_applicable.append(
                proto.PolicyNotApplicable(policy_name=rule.name, reason=outcome.reason)
            )
            return
        response.diagnostics.append(
            proto.AnalyzeDiagnostic(
                policyName=rule.name,
                policyPackName=pack.NAME,
                policyPackVersion=self._version,
                description=rule.stops,
                message=f"{rule.stops}\n{rule.message(outcome)}",
                urn=outcome.resource.urn,
                enforcementLevel=self._levels[rule.name],
                severity=_SEVERITIES[rule.severity.value],
            )
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
