"""Serves the provider over gRPC, as every plugin is served, with errors a person can read."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable
from importlib import import_module
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf import any_pb2, empty_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import DiffRequest
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.aws.errors import IncompleteError, ProviderError
from sandbox.aws.provider import AwsProvider
from sandbox.aws.values import lift
from sandbox.aws.wire import Archives, complete


class Servicer(ProviderServicer):
    """The experimental servicer, without a traceback in what it answers.

    The base class puts a traceback into the text of every error, and has no way to say that a
    resource exists although its creation failed.
    """

    def __init__(self, provider: AwsProvider, version: str) -> None:
        super().__init__([], version, provider, engine_address="")

    async def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802, ARG002
        """Accept an engine that did not start this process."""
        return empty_pb2.Empty()

    async def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answer as `Diff` does; the base class spells "changes" as the protocol's "none"."""
        asked = DiffRequest(
            request.urn,
            request.id,
            PropertyValue.unmarshal_map(request.olds),
            PropertyValue.unmarshal_map(request.news),
            list(request.ignoreChanges),
        )
        found = await _answered(self._provider.diff_config(asked), context)
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if found.changes else none, replaces=found.replaces, diffs=found.diffs
        )

    async def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Answer with a schema that only names the package: the SDK holds the real one."""
        return provider_pb2.GetSchemaResponse(
            schema=f'{{"name": "aws", "version": "{self._version}"}}'
        )


def _plain(name: str) -> Any:
    """Return a method that calls the base class's and turns its errors into plain answers."""
    base = getattr(ProviderServicer, name)

    async def method(self: Servicer, request: Any, context: Any) -> Any:
        archives = Archives(name, request)
        complete(request)
        response = await _answered(base(self, request, context), context)
        archives.put_back(response)
        if name == "Read" and not response.id:
            # An engine takes a resource for gone only when there are no properties at all.
            return provider_pb2.ReadResponse()
        return response

    method.__name__ = name
    method.__doc__ = base.__doc__
    return method


for _name in (
    *("CheckConfig", "Configure", "Check", "Diff"),
    *("Create", "Read", "Update", "Delete", "Invoke"),
):
    setattr(Servicer, _name, _plain(_name))


async def _answered(work: Awaitable[Any], context: Any) -> Any:
    try:
        return await work
    except Exception as wrapped:
        # The base class raises a bare Exception, with the real one as its context.
        cause = wrapped if isinstance(wrapped, ProviderError) else wrapped.__context__
        if isinstance(cause, IncompleteError):
            await _abort_incomplete(cause, context)
        if isinstance(cause, ProviderError):
            await context.abort(grpc.StatusCode.UNKNOWN, str(cause))
        raise


async def _abort_incomplete(error: IncompleteError, context: Any) -> NoReturn:
    """Tell the engine of a resource that has to be recorded although it failed."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.resource_id,
            properties=PropertyValue.marshal_map(lift(error.properties, error.secrets)),
            reasons=[error.reason],
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    await context.abort(
        code, str(error), (("grpc-status-details-bin", status.SerializeToString()),)
    )
    raise error


async def _serve(version: str) -> None:
    provider = AwsProvider(os.environ)
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(provider, version), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # Takes a tenth of a second, in which the engine is still busy starting the program.
    threading.Thread(target=import_module, args=("botocore.client",), daemon=True).start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    await stop.wait()
    await provider.cancel()
    await server.stop(grace=1)


def main(version: str) -> NoReturn:
    """Serve until a signal; calls that hang in a thread do not keep the process."""
    asyncio.run(_serve(version))
    sys.stdout.flush()
    os._exit(0)
