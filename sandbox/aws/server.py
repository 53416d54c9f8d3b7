"""Serves the provider over gRPC, as every plugin is served, with errors that a person can read.

It speaks the protocol of plugins itself: the SDK's own server for providers puts tracebacks into
errors, loses the hashes of archives, and cannot hand over a resource whose creation failed halfway.
"""

import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, status_pb2
from pulumi.runtime.proto.provider_pb2_grpc import (
    ResourceProviderServicer,
    add_ResourceProviderServicer_to_server,
)

from sandbox.aws.errors import IncompleteError, ProviderError
from sandbox.aws.provider import AwsProvider


class Servicer(ResourceProviderServicer):
    """The protocol's methods, each by the provider's method of that name, where it has one."""

    def __init__(self, provider: AwsProvider) -> None:
        for name in vars(ResourceProviderServicer):
            method = getattr(provider, re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower(), None)
            if method and not name.startswith("_"):
                setattr(self, name, partial(_answer, method))


def _answer(method: Callable[[Any], Any], request: Any, context: Any) -> Any:
    """Answer a failure that was foreseen with its sentence, and without a traceback."""
    try:
        answer = method(request)
        return empty_pb2.Empty() if answer is None else answer
    except ProviderError as error:
        if isinstance(error, IncompleteError):
            context.set_trailing_metadata((("grpc-status-details-bin", _made(error)),))
        return context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _made(error: IncompleteError) -> bytes:
    """Tell the engine of a resource that has to be recorded although it failed."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.resource_id, properties=error.properties, reasons=[str(error)]
        )
    )
    code = grpc.StatusCode.UNKNOWN.value[0]
    status = status_pb2.Status(code=code, message=str(error), details=[detail])
    return status.SerializeToString()


def main() -> None:
    """Serve until a signal; calls that hang in a thread do not keep the process."""
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    provider = AwsProvider(os.environ)
    # More than an engine asks for at once: a cancel must not wait for its turn.
    server = grpc.server(ThreadPoolExecutor(max_workers=64), options=_GRPC_CHANNEL_OPTIONS)
    add_ResourceProviderServicer_to_server(Servicer(provider), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # Takes a tenth of a second, in which the engine is still busy starting the program.
    threading.Thread(target=import_module, args=("botocore.client",), daemon=True).start()
    stop.wait()
    provider.cancel(None)
    server.stop(grace=1).wait()
    os._exit(0)
