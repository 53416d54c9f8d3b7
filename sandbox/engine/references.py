"""The provider of the package `pulumi`: outputs of other stacks of the sandbox."""

from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.engine import values
from sandbox.engine.checkpoint import StateFile
from sandbox.engine.secrets import Crypter, passphrase
from sandbox.stack import EngineError


class References(provider_pb2_grpc.ResourceProviderServicer):
    """Reads outputs from the state files below one home. Method names are the protocol's."""

    def __init__(self, home: Path, project: str) -> None:
        self._home = home
        self._project = project

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Accept: there is nothing to configure."""
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """See no difference."""
        del request, context
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Accept."""
        del request, context
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        """Read a stack reference; its id is the stack's name."""
        if request.type != "pulumi:pulumi:StackReference":
            context.abort(grpc.StatusCode.UNKNOWN, f"unrecognized resource type '{request.type}'")
        outputs = self._outputs(request.id, context)
        return provider_pb2.ReadResponse(id=request.id, inputs=request.inputs, properties=outputs)

    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:  # noqa: N802
        """Look a stack's outputs up."""
        if request.tok != "pulumi:pulumi:readStackOutputs":
            context.abort(grpc.StatusCode.UNKNOWN, f"unrecognized function name: '{request.tok}'")
        name = values.from_struct(request.args)["name"]
        return provider_pb2.InvokeResponse(**{"return": self._outputs(name, context)})

    def _outputs(self, name: str, context: Any) -> Any:
        """Return the outputs of `stack`, `project/stack`, or one with an organization before it."""
        project, stack = [self._project, *name.split("/")][-2:]
        path = self._home / "state" / project / f"{stack}.json"
        if not path.is_file():
            context.abort(grpc.StatusCode.UNKNOWN, f"unknown stack {name!r}")
        try:
            found = StateFile(path, name, Crypter(passphrase(self._home))).load().outputs
        except EngineError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise
        hidden = [key for key, value in found.items() if values.has_secret(value)]
        return values.to_struct({"name": name, "outputs": found, "secretOutputNames": hidden})

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Nothing here takes long."""
        del context
        return request
