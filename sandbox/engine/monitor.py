"""The resource monitor and the engine as the SDK calls them, in process, from its own threads."""

from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi import RunError
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from sandbox.engine import values
from sandbox.engine.deployment import Deployment, InvocationError
from sandbox.engine.goals import Goal, UnsupportedError, goal_of
from sandbox.engine.report import Reporter
from sandbox.engine.steps import StoppedError

_FEATURES = [
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    # Said to be there so that a program that uses them is refused by their name, here.
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
]


class CallFailed(grpc.RpcError):
    """How the SDK expects to hear of a failed call: it becomes an exception of the program's."""

    def code(self) -> grpc.StatusCode:
        """Return what the real monitor gives for every failed look-up."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Return why."""
        return str(self)


class StoppedRunError(RunError):
    """Ends the program because the deployment has ended; what went wrong has been reported."""


class Monitor:
    """Translates what the SDK sends into calls of a deployment. Method names are the protocol's."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def GetDeploymentInfo(self, request: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:  # noqa: N802
        """Say which features there are."""
        del request
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Register a resource."""
        try:
            resource, skipped = self._deployment.register(goal_of(request))
        except StoppedError as error:
            raise StoppedRunError(str(error)) from error
        except UnsupportedError as error:
            raise RunError(str(error)) from error
        identity = "" if values.is_unknown(resource.id) else resource.id
        if resource.resource_type.startswith("pulumi:providers:"):
            identity = resource.id
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            id=identity,
            object=values.to_struct(resource.outputs),
            unknown=skipped,
        )

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Record a component's outputs."""
        try:
            self._deployment.set_outputs(request.urn, values.from_struct(request.outputs))
        except StoppedError as error:
            raise StoppedRunError(str(error)) from error
        return empty_pb2.Empty()

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest
    ) -> resource_pb2.ReadResourceResponse:
        """Read a resource that is not ours."""
        goal = Goal(
            type=request.type,
            name=request.name,
            custom=True,
            inputs=values.from_struct(request.properties),
            parent=request.parent,
            provider=request.provider,
            version=request.version,
            dependencies=tuple(sorted(request.dependencies)),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
        )
        try:
            resource = self._deployment.read(goal, request.id)
        except StoppedError as error:
            raise StoppedRunError(str(error)) from error
        return resource_pb2.ReadResourceResponse(
            urn=resource.urn, id=resource.id, properties=values.to_struct(resource.outputs)
        )

    def Invoke(  # noqa: N802
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> resource_pb2.ResourceInvokeResponse:
        """Call a function of a provider."""
        try:
            result, failures = self._deployment.invoke(
                request.tok,
                values.from_struct(request.args),
                request.provider,
                request.version,
            )
        except InvocationError as error:
            raise CallFailed(str(error)) from error
        except StoppedError as error:
            raise StoppedRunError(str(error)) from error
        wrong = [provider_pb2.CheckFailure(property=p, reason=reason) for p, reason in failures]
        response = resource_pb2.ResourceInvokeResponse(failures=wrong)
        getattr(response, "return").CopyFrom(values.to_struct(result))
        return response

    def Call(self, request: resource_pb2.ResourceCallRequest) -> Any:  # noqa: N802
        """Refuse: methods of resources are not supported."""
        raise RunError(f"{request.tok}: the built-in engine does not support resource methods")

    def RegisterPackage(self, request: resource_pb2.RegisterPackageRequest) -> Any:  # noqa: N802
        """Refuse: parameterized packages are not supported."""
        raise RunError(
            f"package {request.name!r}: the built-in engine does not support parameterized packages"
        )

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802
        """Refuse: transforms are not supported."""
        del request
        raise RunError("the built-in engine does not support stack transforms")

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: N802
        """Refuse: transforms are not supported."""
        del request
        raise RunError("the built-in engine does not support invoke transforms")

    def RegisterResourceHook(self, request: Any) -> Any:  # noqa: N802
        """Refuse: hooks are not supported."""
        raise RunError(
            f"hook {request.name!r}: the built-in engine does not support resource hooks"
        )

    RegisterErrorHook = RegisterResourceHook

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty) -> empty_pb2.Empty:  # noqa: N802
        """Let the program end: deletes begin when it has."""
        return request


class EngineLog:
    """The part of the engine that the SDK logs to."""

    def __init__(self, reporter: Reporter) -> None:
        self._report = reporter

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:  # noqa: N802
        """Pass a message on."""
        severity = engine_pb2.LogSeverity.Name(request.severity).lower()
        if severity != "debug":
            self._report.message(severity, request.message, request.urn)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, request: Any) -> Any:  # noqa: N802
        """Accept: the built-in engine goes by the version of the SDK."""
        del request
        return engine_pb2.RequirePulumiVersionResponse()
