"""The provider of the package `pulumi`: references to outputs of other stacks of the sandbox."""

from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.engine import values
from sandbox.engine.checkpoint import StateFile
from sandbox.engine.secrets import Crypter, passphrase
from sandbox.stack import EngineError

_STACK_REFERENCE = "pulumi:pulumi:StackReference"


class References(provider_pb2_grpc.ResourceProviderServicer):
    """Reads outputs from the state files below one home. Method names are the protocol's."""

    def __init__(self, home: Path, project: str) -> None:
        self._home = home
        self._project = project

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Accept: there is nothing to configure."""
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Accept."""
        del request, context
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        """Read a stack's outputs; its name is `stack`, `project/stack` or with an organization."""
        if request.type != _STACK_REFERENCE:
            context.abort(grpc.StatusCode.UNKNOWN, f"unknown type {request.type}")
        project, stack = [self._project, *request.id.split("/")][-2:]
        path = self._home / "state" / project / f"{stack}.json"
        if not path.is_file():
            context.abort(grpc.StatusCode.UNKNOWN, f"unknown stack {request.id!r}")
        try:
            file = StateFile(path, request.id, Crypter(passphrase(self._home)))
            outputs = file.load().outputs
        except EngineError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise
        hidden = [key for key, value in outputs.items() if values.has_secret(value)]
        result = {"name": request.id, "outputs": outputs, "secretOutputNames": hidden}
        return provider_pb2.ReadResponse(
            id=request.id, inputs=request.inputs, properties=values.to_struct(result)
        )

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Nothing here takes long."""
        del context
        return request
