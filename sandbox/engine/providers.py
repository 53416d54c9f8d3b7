"""Providers as the engine calls them: typed calls over the provider protocol, errors as types."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.engine import values
from sandbox.engine.state import Resource
from sandbox.stack import EngineError

Failures = Sequence[provider_pb2.CheckFailure]


class ProviderError(EngineError):
    """A provider refused or failed; `gone` says that it was killed or died in the middle."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.gone = gone


class PartialError(ProviderError):
    """A provider did part of the work: the resource exists, in the state that this says."""

    def __init__(self, partial: provider_pb2.ErrorResourceInitFailed) -> None:
        super().__init__("\n".join(partial.reasons))
        self.reasons = list(partial.reasons)
        self.id = partial.id
        self.inputs = values.from_struct(partial.inputs)
        self.outputs = values.from_struct(partial.properties)


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What a provider says about a change: whether there is one, and what it forces."""

    changes: bool
    replaces: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    delete_before_replace: bool = False


class Provider:
    """One configured instance of a plugin; in a preview it is asked what it would do."""

    remote = True

    def __init__(self, channel: grpc.Channel, *, preview: bool) -> None:
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)
        self._preview = preview

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            _raise(error)

    def _ask(self, method: str, about: Resource, old: Resource | None = None, **given: Any) -> Any:
        """Call a method about a resource and what it was (`old`); properties go as on the wire.

        What several methods want to know goes to those whose request has a field for it.
        """
        kind = getattr(provider_pb2, method.removesuffix("Config") + "Request")
        known: dict[str, Any] = {
            "preview": self._preview,
            "timeout": about.custom_timeouts.get(method.lower(), 0),
        }
        if old is not None:
            known |= {"id": old.id, "olds": old.outputs, "old_inputs": old.inputs}
        known = {key: known[key] for key in known.keys() & kind.DESCRIPTOR.fields_by_name.keys()}
        wired = {
            key: values.to_struct(values.dereference(value)) if isinstance(value, dict) else value
            for key, value in {**known, **given}.items()
        }
        return self._call(method, kind(urn=about.urn, name=about.name, type=about.type, **wired))

    def check(
        self, new: Resource, olds: values.Properties, *, method: str = "Check"
    ) -> tuple[values.Properties, Failures]:
        """Ask whether inputs are right; return them with defaults, and what is wrong by path."""
        answer = self._ask(method, new, olds=olds, news=new.inputs, randomSeed=os.urandom(32))
        return values.from_struct(answer.inputs), answer.failures

    def configure(self, state: Resource) -> None:
        """Configure the instance as its state says; it comes before calls about resources."""
        self._ask(
            "Configure",
            state,
            args=state.inputs,
            acceptSecrets=True,
            sends_old_inputs=True,
            sends_old_inputs_to_delete=True,
        )

    def diff(
        self, old: Resource, new: values.Properties, ignore: Sequence[str], *, method: str = "Diff"
    ) -> Diff:
        """Ask whether new inputs change a resource, and whether they replace it."""
        answer = self._ask(method, old, old, news=new, ignoreChanges=ignore)
        if answer.changes == provider_pb2.DiffResponse.DIFF_UNKNOWN:
            kept, _ = values.reset_paths(new, old.inputs, ignore)
            changed = values.changed_keys(old.inputs, kept)
            changes = bool(changed)
        else:
            changed = tuple(sorted(answer.diffs))
            changes = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Diff(
            changes=changes,
            replaces=tuple(answer.replaces),
            changed=changed,
            delete_before_replace=answer.deleteBeforeReplace,
        )

    def create(self, new: Resource) -> tuple[str, values.Properties]:
        """Create a resource; in a preview say what is known of it beforehand."""
        answer = self._ask("Create", new, properties=new.inputs)
        if not answer.id and not self._preview:
            raise ProviderError("provider did not return an ID from Create")
        return answer.id, values.from_struct(answer.properties)

    def update(self, old: Resource, new: Resource) -> values.Properties:
        """Update a resource in place; in a preview say what is known of it afterwards."""
        ignore = new.ignore_changes
        answer = self._ask("Update", new, old, news=new.inputs, ignoreChanges=ignore)
        return values.from_struct(answer.properties)

    def read(
        self, resource: Resource, identity: str
    ) -> tuple[str, values.Properties, values.Properties]:
        """Read a resource as it is; return id, inputs and outputs, no id if it does not exist."""
        answer = self._ask(
            "Read", resource, id=identity, properties=resource.outputs, inputs=resource.inputs
        )
        outputs = values.from_struct(answer.properties)
        return answer.id, values.from_struct(answer.inputs), outputs

    def delete(self, old: Resource) -> None:
        """Delete a resource."""
        self._ask("Delete", old, old, properties=old.outputs)

    def invoke(self, token: str, arguments: values.Properties) -> provider_pb2.InvokeResponse:
        """Call a function of the provider; return its result, or what is wrong with the call."""
        args = values.to_struct(values.dereference(arguments))
        request = provider_pb2.InvokeRequest(tok=token, args=args, preview=self._preview)
        return self._call("Invoke", request)


def _raise(error: grpc.RpcError) -> NoReturn:
    assert isinstance(error, grpc.Call)
    gone = error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                partial = provider_pb2.ErrorResourceInitFailed()
                if detail.Unpack(partial):
                    raise PartialError(partial) from None
    text = (error.details() or error.code().name).strip()
    # Providers written with the SDK put their own stack under the message; the message is the news.
    message = text.removeprefix("Unexpected <class 'Exception'>: ").split(':\n  File "', 1)[0]
    raise ProviderError(message, gone=gone) from None
