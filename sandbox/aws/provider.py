"""The provider: takes an engine's requests, looks the type up in the table, and answers."""

import sys
from collections.abc import Callable, Mapping
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.plugin_pb2 import PluginInfo

from sandbox.aws import config, lifecycle, state
from sandbox.aws.check import DEFAULTS, check
from sandbox.aws.code import ArchiveError, sha256
from sandbox.aws.diff import changes
from sandbox.aws.errors import CancelledError, IncompleteError, ProviderError, UnknownTokenError
from sandbox.aws.install import VERSION
from sandbox.aws.lookups import LOOKUPS
from sandbox.aws.operation import Operation
from sandbox.aws.schema import ResourceType
from sandbox.aws.session import ENDPOINT, Session
from sandbox.aws.types import TYPES
from sandbox.aws.values import UNKNOWN, contains_unknown, lift, lower

GRACE: Final = 2.0
"""Seconds that a call to the cloud may take to end once the engine has cancelled."""

CODE_HASH: Final = "codeSha256"

Answer = TypeVar("Answer")
Values = Mapping[str, Any]
"""Property values: inputs, or a state."""


class AwsProvider:
    """The table of types, in the messages of Pulumi's protocol.

    Of the environment, only the endpoint and the region are read; relative paths of archives start
    from `cwd`.
    """

    def __init__(self, environment: Mapping[str, str], *, cwd: Path | None = None) -> None:
        self._environment = environment
        self._cwd = cwd or Path.cwd()
        self._session: Session | None = None
        self._end: futures.Future[Any] = futures.Future()
        self._pool = futures.ThreadPoolExecutor(max_workers=32, thread_name_prefix="aws")

    def get_plugin_info(self, _: Any) -> PluginInfo:
        """Tell the version."""
        return PluginInfo(version=VERSION)

    def cancel(self, _: Any) -> None:
        """End every wait at once and every call within `GRACE`."""
        if self._session:
            self._session.cancelled.set()
        with suppress(futures.InvalidStateError):
            self._end.set_result(None)

    # --- Configuration ----------------------------------------------------------------------------

    def check_config(self, request: Any) -> pb.CheckResponse:
        """Refuse settings that the sandbox cannot honour."""
        reasons = config.refused(lower(request.news)[0])
        return pb.CheckResponse(inputs=request.news, failures=_failures(reasons))

    def diff_config(self, request: Any) -> pb.DiffResponse:
        """Another region means other resources; everything else takes effect as it is."""
        old, new = lower(request.olds)[0], lower(request.news)[0]
        moved = config.region(old, self._environment) != config.region(new, self._environment)
        replaces = ["region"] if moved else []
        tags = ["defaultTags"] if config.default_tags(old) != config.default_tags(new) else []
        return _diffed([*replaces, *tags], replaces=replaces)

    def configure(self, request: Any) -> pb.ConfigureResponse:
        """Find the cloud, on this machine or not at all."""
        given, _ = lower(request.args)
        if reasons := config.refused(given):
            raise ProviderError("; ".join(reasons.values()))
        self._session = Session(
            endpoint=self._environment.get(ENDPOINT),
            region=config.region(given, self._environment),
            default_tags=config.default_tags(given).get("tags") or {},
            cwd=self._cwd,
        )
        if aside := sorted(config.CREDENTIALS & given.keys()):
            sys.stderr.write(
                f"the sandbox needs no account: {', '.join(aside)} of the configuration "
                "is not looked at\n"
            )
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # --- Planning ---------------------------------------------------------------------------------

    def check(self, request: Any) -> pb.CheckResponse:
        """Normalise inputs, fill in defaults and names, and name what is wrong by its path."""
        each, name = _type(request.urn), request.urn.split("::", 3)[3]
        given, hidden = lower(request.news)
        inputs, reasons = check(each, given, lower(request.olds)[0], name, request.randomSeed)
        code = inputs.get("code")
        if code not in (None, UNKNOWN) and not reasons:
            # The hash goes along as an input: engines leave an archive's contents out of a diff.
            try:
                inputs[CODE_HASH] = sha256(code, self._cwd)
            except ArchiveError as error:
                reasons = {"code": str(error)}
        return pb.CheckResponse(inputs=lift(inputs, hidden), failures=_failures(reasons))

    def diff(self, request: Any) -> pb.DiffResponse:
        """Say which properties changed, and which of them force a replacement."""
        each = _type(request.urn)
        old, new = lower(request.olds)[0], lower(request.news)[0]
        changed = self._changed(each, old, new, request.ignoreChanges)
        replaces = [name for name in changed if each.properties[name].replaces]
        # A replacement would meet the old resource where its name is given and stays the same.
        generated = each.autoname and each.autoname.name in new.get(DEFAULTS, ())
        clash = each.unique and all(old.get(name) == new.get(name) for name in each.unique)
        first = bool(replaces and clash and not generated)
        return _diffed(changed, replaces=replaces, deleteBeforeReplace=first)

    def _changed(self, each: ResourceType, old: Values, new: Values, ignored: Any) -> list[str]:
        found = changes(each, old, new)
        code = new.get("code")
        if code == UNKNOWN or (code is not None and new.get(CODE_HASH) != old.get(CODE_HASH)):
            found.add("code")
        if each.tagged and self._session and "tags" not in found:
            tags = {**self._session.default_tags, **(new.get("tags") or {})}
            if tags != (old.get("tagsAll") or {}):
                found.add("tagsAll")
        return [] if "*" in ignored else sorted(found - set(ignored))

    # --- Doing ------------------------------------------------------------------------------------

    def create(self, request: Any) -> pb.CreateResponse:
        """Create a resource and wait until it can be used; a preview tells what it would be."""
        inputs, hidden = lower(request.properties)
        operation = self._operation(request, inputs, {})
        if request.preview:
            return pb.CreateResponse(properties=lift(state.planned(operation), hidden))
        try:
            outputs = self._run(lifecycle.create, operation)
        except IncompleteError as error:
            error.properties = lift(error.properties, hidden)
            raise
        return pb.CreateResponse(id=operation.id, properties=lift(outputs, hidden))

    def read(self, request: Any) -> pb.ReadResponse:
        """Read a resource for a refresh, an import or a `get`; one that is gone has nothing."""
        (old, hidden), (inputs, hidden_inputs) = lower(request.properties), lower(request.inputs)
        operation = self._operation(request, old, old)
        if not inputs:
            lifecycle.resolve(operation)
        found = self._run(lifecycle.find, operation)
        if found is None:
            return pb.ReadResponse()
        if inputs:
            outputs = state.brought(operation.type, old, found)
            given = {name: each for name, each in found.items() if name in inputs}
            inputs = state.brought(operation.type, inputs, given)
        else:
            outputs = {**old, **{name: each for name, each in found.items() if each is not None}}
            inputs = state.imported(operation.type, found)
        return pb.ReadResponse(
            id=operation.id,
            properties=lift(outputs, hidden | hidden_inputs),
            inputs=lift(inputs, hidden_inputs),
        )

    def update(self, request: Any) -> pb.UpdateResponse:
        """Bring a resource from its state to its new inputs."""
        old, (inputs, hidden) = lower(request.olds)[0], lower(request.news)
        changed = self._changed(_type(request.urn), old, inputs, request.ignoreChanges)
        operation = self._operation(request, inputs, old, *changed)
        if request.preview:
            return pb.UpdateResponse(properties=lift(state.planned(operation), hidden))
        outputs = self._run(lifecycle.update, operation)
        return pb.UpdateResponse(properties=lift(outputs, hidden))

    def delete(self, request: Any) -> None:
        """Delete a resource; one that is gone already is deleted."""
        old, _ = lower(request.properties)
        self._run(lifecycle.delete, self._operation(request, old, old))

    def invoke(self, request: Any) -> pb.InvokeResponse:
        """Answer a look-up."""
        lookup = LOOKUPS.get(request.tok)
        if lookup is None:
            raise UnknownTokenError("look-up", request.tok, sorted(LOOKUPS))
        asked, hidden = lower(request.args)
        if reasons := lookup.refused(request.tok, asked):
            return pb.InvokeResponse(failures=_failures(reasons))
        if contains_unknown(asked):
            raise ProviderError(f"{request.tok} was asked with arguments that are not known yet")
        answer = self._run(lookup.answer, self._connected, asked)
        given: dict[str, Any] = {"return": lift(answer, hidden)}  # The name is Python's own.
        return pb.InvokeResponse(**given)

    # --- How it is done ---------------------------------------------------------------------------

    @property
    def _connected(self) -> Session:
        if self._session is None:
            raise ProviderError("the provider was not configured before its first operation")
        return self._session

    def _operation(self, request: Any, inputs: Values, old: Values, *changed: str) -> Operation:
        return Operation(
            type=_type(request.urn),
            session=self._connected,
            inputs=inputs,
            state=old,
            id=getattr(request, "id", ""),
            changed=frozenset(changed),
            timeout=request.timeout,
        )

    def _run(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """Do work that a cancel lets end, but not for long."""
        running: futures.Future[Any] = self._pool.submit(work, *arguments)
        futures.wait({running, self._end}, return_when=futures.FIRST_COMPLETED)
        futures.wait({running}, timeout=GRACE)
        if not running.done():
            raise CancelledError("cancelled while the cloud had not answered yet")
        return running.result()


def _type(urn: str) -> ResourceType:
    # A URN's type names the types of its parents too: parent$child.
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in TYPES:
        raise UnknownTokenError("type", token, sorted(TYPES))
    return TYPES[token]


def _failures(reasons: Mapping[str, str]) -> list[pb.CheckFailure]:
    return [pb.CheckFailure(property=path, reason=reason) for path, reason in reasons.items()]


def _diffed(changed: list[str], **more: Any) -> pb.DiffResponse:
    some, none = pb.DiffResponse.DIFF_SOME, pb.DiffResponse.DIFF_NONE
    return pb.DiffResponse(changes=some if changed else none, diffs=changed, **more)
