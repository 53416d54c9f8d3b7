"""The resource monitor and the engine as the SDK calls them, in process, from its own threads."""

import re
from collections.abc import Callable
from typing import Any, NoReturn

from google.protobuf import empty_pb2
from pulumi import RunError
from pulumi.runtime.proto import engine_pb2, resource_pb2

from sandbox.engine import values
from sandbox.engine.deployment import Deployment
from sandbox.engine.report import Report

# Also what is not there is said to be, so that a program that uses it is refused by its name, here.
# Output values and byte strings would change the form of what is understood.
_FEATURES = [
    number
    for name, number in resource_pb2.ResourceMonitorFeature.items()
    if not name.endswith(("OUTPUT_VALUES", "BYTE_STRING", "DEPENDS_ON"))
]


class Monitor:
    """Translates what the SDK sends into calls of a deployment. Method names are the protocol's."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def GetDeploymentInfo(self, _: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:  # noqa: N802
        """Say which features there are."""
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Register a resource."""
        resource, skipped = self._deployment.register(request)
        unknown = values.is_unknown(resource.id) and not resource.is_provider
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            id="" if unknown else resource.id,
            object=values.to_struct(resource.outputs),
            unknown=skipped,
        )

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Record a component's outputs."""
        self._deployment.set_outputs(request.urn, values.from_struct(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest
    ) -> resource_pb2.ReadResourceResponse:
        """Read a resource that is not ours."""
        goal = resource_pb2.RegisterResourceRequest(
            type=request.type,
            name=request.name,
            custom=True,
            object=request.properties,
            parent=request.parent,
            provider=request.provider,
            version=request.version,
            dependencies=request.dependencies,
            additionalSecretOutputs=request.additionalSecretOutputs,
        )
        resource, _ = self._deployment.register(goal, request.id)
        return resource_pb2.ReadResourceResponse(
            urn=resource.urn, id=resource.id, properties=values.to_struct(resource.outputs)
        )

    def Invoke(  # noqa: N802
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> resource_pb2.ResourceInvokeResponse:
        """Call a function of a provider."""
        answer = self._deployment.invoke(
            request.tok, values.from_struct(request.args), request.provider, request.version
        )
        result: dict[str, Any] = {"return": getattr(answer, "return"), "failures": answer.failures}
        return resource_pb2.ResourceInvokeResponse(**result)

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty) -> empty_pb2.Empty:  # noqa: N802
        """Let the program end: deletes begin when it has."""
        return request

    def __getattr__(self, method: str) -> Callable[[Any], NoReturn]:
        """Refuse what else the protocol has: methods, hooks, transforms, parameterized packages."""
        if method.startswith("_"):
            raise AttributeError(method)
        words = re.sub(r"(?<=.)([A-Z])", r" \1", method).lower()

        def refuse(request: Any) -> NoReturn:
            name = getattr(request, "name", "") or getattr(request, "tok", "")
            raise RunError(
                f"the built-in engine does not support {words} {name}".rstrip()
                + "; ENGINE=pulumi does"
            )

        return refuse


class EngineLog:
    """The part of the engine that the SDK logs to."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:  # noqa: N802
        """Pass a message on."""
        severity = engine_pb2.LogSeverity.Name(request.severity).lower()
        if severity != "debug":
            self._report.message(severity, request.message, request.urn)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _: Any) -> Any:  # noqa: N802
        """Accept: the built-in engine goes by the version of the SDK."""
        return engine_pb2.RequirePulumiVersionResponse()
