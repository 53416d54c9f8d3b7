"""Providers as the engine calls them: typed calls over the provider protocol, errors as types."""

import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.engine import values
from sandbox.engine.checkpoint import Resource
from sandbox.engine.plugins import Child, Inside, Plugin

# Packages that the sandbox can serve. Others are refused by name.
PLUGINS: Mapping[str, Plugin] = {"aws": Plugin(module="sandbox.aws")}


class NoProviderError(Exception):
    """A program uses a package that nothing in the sandbox serves."""

    def __init__(self, package: str) -> None:
        super().__init__(f"no provider for package {package!r} in the sandbox")
        self.package = package


class ProviderError(Exception):
    """A provider refused or failed; `gone` says that it was killed or died in the middle."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.gone = gone


class PartialError(ProviderError):
    """A provider did part of the work: the resource exists, in the state that this says."""

    def __init__(self, reasons: list[str], identity: str, outputs: values.Properties) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons
        self.id = identity
        self.outputs = outputs


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What a provider says about a change: whether there is one, and what it forces."""

    changes: bool
    replaces: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    delete_before_replace: bool = False


class Provider:
    """One configured instance of a plugin."""

    def __init__(self, child: Child | Inside) -> None:
        self._child = child
        self._stub = provider_pb2_grpc.ResourceProviderStub(child.channel())
        self._accepts_secrets = True
        self._accepts_references = True
        self._previews = False

    def _call(self, method: str, request: Any, seconds: float | None = None) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=seconds or None)
        except grpc.RpcError as error:
            _raise(error)

    def _send(self, properties: values.Properties) -> Any:
        if not self._accepts_secrets:
            properties = values.reveal(properties)
        if not self._accepts_references:
            properties = values.dereference(properties)
        return values.to_struct(properties)

    def _receive(self, struct: Any, like: Mapping[str, Any]) -> values.Properties:
        found = values.from_struct(struct)
        if self._accepts_secrets:
            return found
        # A provider that knows no secrets gives back in clear what went in as one.
        hidden = {key for key, value in like.items() if values.has_secret(value)}
        return {k: values.secret(v) if k in hidden else v for k, v in found.items()}

    def check_config(
        self, urn: str, old: values.Properties, new: values.Properties
    ) -> tuple[values.Properties, list[tuple[str, str]]]:
        """Ask whether a configuration is right; return it with what the provider added."""
        return self._check("CheckConfig", urn, old, new)

    def check(
        self, urn: str, old: values.Properties, new: values.Properties, seed: bytes
    ) -> tuple[values.Properties, list[tuple[str, str]]]:
        """Ask whether inputs are right; return them with defaults, and what is wrong by path."""
        return self._check("Check", urn, old, new, seed)

    def _check(
        self, method: str, urn: str, old: Any, new: Any, seed: bytes = b""
    ) -> tuple[values.Properties, list[tuple[str, str]]]:
        name, kind = _name_and_type(urn)
        request = provider_pb2.CheckRequest(
            urn=urn,
            olds=self._send(old),
            news=self._send(new),
            randomSeed=seed,
            name=name,
            type=kind,
        )
        response = self._call(method, request)
        failures = [(item.property, item.reason) for item in response.failures]
        return self._receive(response.inputs, new), failures

    def configure(self, urn: str, inputs: values.Properties) -> None:
        """Configure the instance; it must come before any call about a resource."""
        variables = {
            f"{urn.split('::')[2].rsplit(':', 1)[-1]}:config:{key}": str(value)
            for key, value in values.reveal(inputs).items()
            if isinstance(value, str)
        }
        response = self._call(
            "Configure",
            provider_pb2.ConfigureRequest(
                variables=variables,
                args=values.to_struct(inputs),
                acceptSecrets=True,
                acceptResources=True,
                sends_old_inputs=True,
                sends_old_inputs_to_delete=True,
            ),
        )
        self._accepts_secrets = response.acceptSecrets
        self._accepts_references = response.acceptResources
        self._previews = response.supportsPreview

    def diff_config(self, old: Resource, new: values.Properties) -> Diff:
        """Ask what a changed configuration means for the resources of this provider."""
        return self._diff("DiffConfig", old, new, ())

    def diff(self, old: Resource, new: values.Properties, ignore: tuple[str, ...]) -> Diff:
        """Ask whether new inputs change a resource, and whether they replace it."""
        return self._diff("Diff", old, new, ignore)

    def _diff(
        self, method: str, old: Resource, new: values.Properties, ignore: tuple[str, ...]
    ) -> Diff:
        name, kind = _name_and_type(old.urn)
        try:
            response = self._call(
                method,
                provider_pb2.DiffRequest(
                    id=old.id,
                    urn=old.urn,
                    olds=self._send(old.outputs),
                    news=self._send(new),
                    old_inputs=self._send(old.inputs),
                    ignoreChanges=ignore,
                    name=name,
                    type=kind,
                ),
            )
        except NotImplementedError:
            response = provider_pb2.DiffResponse()
        changed = tuple(sorted(response.diffs))
        known = response.changes != provider_pb2.DiffResponse.DIFF_UNKNOWN
        if not known:
            kept, _ = values.reset_paths(new, old.inputs, ignore)
            changed = values.changed_keys(old.inputs, kept)
        return Diff(
            changes=response.changes == provider_pb2.DiffResponse.DIFF_SOME
            if known
            else bool(changed),
            replaces=tuple(response.replaces),
            changed=changed or tuple(sorted({k.split(".")[0] for k in response.detailedDiff})),
            delete_before_replace=response.deleteBeforeReplace,
        )

    def create(self, new: Resource, *, preview: bool) -> tuple[str, values.Properties]:
        """Create a resource; in a preview say what is known of it beforehand."""
        if preview and not self._previews:
            return "", {}
        request = provider_pb2.CreateRequest(
            urn=new.urn,
            properties=self._send(new.inputs),
            preview=preview,
            timeout=new.custom_timeouts.get("create", 0),
            **_name(new),
        )
        response = self._call("Create", request)
        if not response.id and not preview:
            raise ProviderError("provider did not return an ID from Create")
        return response.id, self._receive(response.properties, new.inputs)

    def update(self, old: Resource, new: Resource, *, preview: bool) -> values.Properties:
        """Update a resource in place; in a preview say what is known of it afterwards."""
        if preview and not self._previews:
            return {}
        request = provider_pb2.UpdateRequest(
            id=old.id,
            urn=new.urn,
            olds=self._send(old.outputs),
            news=self._send(new.inputs),
            old_inputs=self._send(old.inputs),
            ignoreChanges=new.ignore_changes,
            preview=preview,
            timeout=new.custom_timeouts.get("update", 0),
            **_name(new),
        )
        return self._receive(self._call("Update", request).properties, new.inputs)

    def read(
        self, resource: Resource, identity: str
    ) -> tuple[str, values.Properties, values.Properties]:
        """Read a resource as it is; return id, inputs and outputs, no id if it does not exist."""
        request = provider_pb2.ReadRequest(
            id=identity,
            urn=resource.urn,
            properties=self._send(resource.outputs),
            inputs=self._send(resource.inputs),
            **_name(resource),
        )
        response = self._call("Read", request)
        inputs = self._receive(response.inputs, resource.inputs)
        return response.id, inputs, self._receive(response.properties, resource.inputs)

    def delete(self, old: Resource) -> None:
        """Delete a resource."""
        request = provider_pb2.DeleteRequest(
            id=old.id,
            urn=old.urn,
            properties=self._send(old.outputs),
            old_inputs=self._send(old.inputs),
            timeout=old.custom_timeouts.get("delete", 0),
            **_name(old),
        )
        self._call("Delete", request)

    def invoke(
        self, token: str, arguments: values.Properties, *, preview: bool
    ) -> tuple[values.Properties, list[tuple[str, str]]]:
        """Call a function of the provider; return its result, or what is wrong with the call."""
        request = provider_pb2.InvokeRequest(tok=token, args=self._send(arguments), preview=preview)
        response = self._call("Invoke", request)
        failures = [(item.property, item.reason) for item in response.failures]
        return values.from_struct(getattr(response, "return")), failures

    def cancel(self) -> None:
        """Ask the provider to give up what it is doing, without waiting for an answer."""
        self._stub.Cancel.future(empty_pb2.Empty())

    def close(self) -> None:
        """End the plugin's process."""
        self._child.kill()


class Host:
    """Starts plugins, ahead of time where it is known which ones are needed."""

    def __init__(
        self, plugins: Mapping[str, Plugin], environment: Mapping[str, str], cwd: Path, log: Any
    ) -> None:
        self._plugins = plugins
        self._environment = environment
        self._cwd = cwd
        self._log = log
        self._lock = threading.Lock()
        self._waiting: dict[str, Child | Inside] = {}
        self._children: list[Child | Inside] = []
        self._providers: list[Provider] = []

    def require(self, package: str) -> None:
        """Raise `NoProviderError` for a package that nothing here serves."""
        if package not in self._plugins:
            raise NoProviderError(package)

    def prepare(self, package: str) -> None:
        """Start a plugin that is going to be needed."""
        with self._lock:
            if package in self._plugins and package not in self._waiting:
                self._waiting[package] = self._start(package)

    def open(self, package: str) -> Provider:
        """Return a fresh instance that is not configured yet."""
        self.require(package)
        with self._lock:
            child = self._waiting.pop(package, None) or self._start(package)
        provider = Provider(child)
        self._providers.append(provider)
        return provider

    def _start(self, package: str) -> Child | Inside:
        plugin = self._plugins[package]
        if plugin.servicer is not None:
            inside = Inside(plugin.servicer())
            self._children.append(inside)
            return inside
        environment = dict(self._environment)
        # The module is found where this process finds it, whatever the program's folder is.
        paths = [str(plugin.path)] if plugin.path else []
        environment["PYTHONPATH"] = ":".join([*paths, *(path for path in sys.path if path)])
        child = Child(
            f"the provider plugin {package!r}",
            plugin.module,
            ["127.0.0.1:1"],
            environment=environment,
            cwd=self._cwd,
            log=self._log,
        )
        self._children.append(child)
        return child

    def cancel(self) -> None:
        """Ask every provider to give up what it is doing."""
        for provider in self._providers:
            provider.cancel()

    def close(self) -> None:
        """End every plugin that was started."""
        for child in self._children:
            child.kill()


class Once:
    """Results that are computed by the first who asks, while others wait for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[Any, Future[Any]] = {}

    def get(self, key: Any, compute: Any) -> Any:
        """Return the result for a key; an error is everybody's."""
        with self._lock:
            future = self._futures.get(key)
            mine = future is None
            if future is None:
                future = self._futures[key] = Future()
        if mine:
            try:
                future.set_result(compute())
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()


def _name_and_type(urn: str) -> tuple[str, str]:
    parts = urn.split("::", 3)
    return parts[3], parts[2].rsplit("$", 1)[-1]


def _name(resource: Resource) -> dict[str, Any]:
    name, kind = _name_and_type(resource.urn)
    return {"name": name, "type": kind}


def _raise(error: grpc.RpcError) -> NoReturn:
    assert isinstance(error, grpc.Call)
    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
        raise NotImplementedError(error.details()) from None
    gone = error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                partial = provider_pb2.ErrorResourceInitFailed()
                if detail.Unpack(partial):
                    outputs = values.from_struct(partial.properties)
                    raise PartialError(list(partial.reasons), partial.id, outputs) from None
    text = (error.details() or error.code().name).strip()
    # Providers written with the SDK put their own stack under the message; the message is the news.
    message = text.removeprefix("Unexpected <class 'Exception'>: ").split(':\n  File "', 1)[0]
    raise ProviderError(message, gone=gone) from None
