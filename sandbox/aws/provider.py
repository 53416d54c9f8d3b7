"""The provider: takes an engine's requests, looks the type up in the table, and answers."""

import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    InvalidStateError,
    ThreadPoolExecutor,
    wait,
)
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.aws import config, lifecycle, state
from sandbox.aws.check import DEFAULTS, Failure, check
from sandbox.aws.code import ArchiveError, sha256
from sandbox.aws.diff import ADD, DELETE, UPDATE, Changes, changes
from sandbox.aws.errors import CancelledError, IncompleteError, ProviderError, UnknownTokenError
from sandbox.aws.lookups import LOOKUPS
from sandbox.aws.operation import Operation
from sandbox.aws.schema import ResourceType
from sandbox.aws.session import ENDPOINT, EndpointRefusedError, Session, loopback
from sandbox.aws.types import TYPES
from sandbox.aws.values import UNKNOWN, contains_unknown, lift, lower, spell

GRACE: Final = 2.0
"""Seconds that a call to the cloud may take to end once the engine has cancelled."""

CODE_HASH: Final = "codeSha256"

_REPLACING: Final = {
    ADD: pb.PropertyDiff.ADD_REPLACE,
    DELETE: pb.PropertyDiff.DELETE_REPLACE,
    UPDATE: pb.PropertyDiff.UPDATE_REPLACE,
}

Answer = TypeVar("Answer")


class AwsProvider:
    """The table of types, in the messages of Pulumi's protocol."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        cwd: Path | None = None,
        notice: Callable[[str], Any] = lambda message: sys.stderr.write(f"{message}\n"),
    ) -> None:
        self._environment = environment
        self._cwd = cwd or Path.cwd()
        self._notice = notice
        self._session: Session | None = None
        self._cancelled = threading.Event()
        self._end: Future[Any] = Future()
        self._pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="aws")

    def cancel(self, _: Any) -> None:
        """End every wait at once and every call within `GRACE`."""
        self._cancelled.set()
        with suppress(InvalidStateError):
            self._end.set_result(None)

    # --- Configuration ----------------------------------------------------------------------------

    def check_config(self, request: Any) -> pb.CheckResponse:
        """Refuse settings that the sandbox cannot honour, and an endpoint that is not its own."""
        failures = config.refused(lower(request.news)[0])
        try:
            loopback(self._environment.get(ENDPOINT))
        except EndpointRefusedError as error:
            failures.append(Failure(path="", reason=str(error)))
        return pb.CheckResponse(inputs=request.news, failures=_failures(failures))

    def diff_config(self, request: Any) -> pb.DiffResponse:
        """Another region means other resources; everything else takes effect as it is."""
        before, after = (
            config.read(lower(each)[0], self._environment) for each in (request.olds, request.news)
        )
        moved = ["region"] if before.region != after.region else []
        changed = moved + (["defaultTags"] if before.default_tags != after.default_tags else [])
        return pb.DiffResponse(changes=_some(changed), replaces=moved, diffs=changed)

    def configure(self, request: Any) -> pb.ConfigureResponse:
        """Find the cloud, on this machine or not at all."""
        given, _ = lower(request.args)
        if failures := config.refused(given):
            raise ProviderError("; ".join(each.reason for each in failures))
        settings = config.read(given, self._environment)
        self._session = Session(
            endpoint=self._environment.get(ENDPOINT),
            region=settings.region,
            default_tags=settings.default_tags,
            cancelled=self._cancelled,
        )
        if settings.set_aside:
            self._notice(
                f"the sandbox needs no account: {', '.join(settings.set_aside)} of the "
                "configuration is not looked at"
            )
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # --- Planning ---------------------------------------------------------------------------------

    def check(self, request: Any) -> pb.CheckResponse:
        """Normalise inputs, fill in defaults and names, and name what is wrong by its path."""
        each, name = _type(request.urn), request.urn.split("::", 3)[3]
        given, hidden = lower(request.news)
        inputs, failures = check(each, given, lower(request.olds)[0], name, request.randomSeed)
        code = inputs.get("code")
        if code not in (None, UNKNOWN) and not failures:
            # The hash goes along as an input: engines leave an archive's contents out of a diff.
            try:
                inputs[CODE_HASH] = sha256(code, self._cwd)
            except ArchiveError as error:
                failures.append(Failure(path="code", reason=str(error)))
        return pb.CheckResponse(inputs=lift(inputs, hidden), failures=_failures(failures))

    def diff(self, request: Any) -> pb.DiffResponse:
        """Say which properties changed, and which of them force a replacement."""
        each = _type(request.urn)
        old, new = lower(request.olds)[0], lower(request.news)[0]
        found = self._changes(each, old, new, request.ignoreChanges)
        roots = sorted({str(path[0]) for path in found})
        replaces = [root for root in roots if each.properties[root].replaces]
        return pb.DiffResponse(
            changes=_some(found),
            replaces=replaces,
            stables=[
                name
                for name, known in each.properties.items()
                if known.replaces or (known.output and not known.volatile)
            ],
            deleteBeforeReplace=bool(replaces) and _would_clash(each, old, new),
            diffs=roots,
            detailedDiff={
                spell(path): pb.PropertyDiff(kind=_REPLACING[kind] if path[0] in replaces else kind)
                for path, kind in found.items()
            },
            hasDetailedDiff=True,
        )

    def _changes(
        self,
        each: ResourceType,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        ignored: Any,
    ) -> Changes:
        found = changes(each, old, new)
        code = new.get("code")
        if code == UNKNOWN or (code is not None and new.get(CODE_HASH) != old.get(CODE_HASH)):
            found[("code",)] = UPDATE
        if each.tagged and self._session and not any(path[0] == "tags" for path in found):
            all_tags = {**self._session.default_tags, **(new.get("tags") or {})}
            if all_tags != (old.get("tagsAll") or {}):
                found[("tagsAll",)] = UPDATE
        return {path: kind for path, kind in found.items() if not _ignored(spell(path), ignored)}

    # --- Doing ------------------------------------------------------------------------------------

    def create(self, request: Any) -> pb.CreateResponse:
        """Create a resource and wait until it can be used; a preview tells what it would be."""
        inputs, hidden = lower(request.properties)
        operation = self._operation(request, inputs)
        if request.preview:
            return pb.CreateResponse(properties=lift(state.planned(operation), hidden))
        try:
            outputs = self._run(lambda: lifecycle.create(operation))
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
        found = self._run(lambda: lifecycle.find(operation))
        if found is None:
            return pb.ReadResponse()
        if inputs:
            outputs = state.refreshed(operation, found)
            inputs = state.drifted(operation.type, inputs, outputs)
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
        found = self._changes(_type(request.urn), old, inputs, request.ignoreChanges)
        operation = self._operation(request, inputs, old, {str(path[0]) for path in found})
        if request.preview:
            return pb.UpdateResponse(properties=lift(state.planned(operation), hidden))
        outputs = self._run(lambda: lifecycle.update(operation))
        return pb.UpdateResponse(properties=lift(outputs, hidden))

    def delete(self, request: Any) -> None:
        """Delete a resource; one that is gone already is deleted."""
        old, _ = lower(request.properties)
        if not old.get("skipDestroy"):
            operation = self._operation(request, old, old)
            self._run(lambda: lifecycle.delete(operation))

    def invoke(self, request: Any) -> pb.InvokeResponse:
        """Answer a look-up."""
        lookup = LOOKUPS.get(request.tok)
        if lookup is None:
            raise UnknownTokenError("look-up", request.tok, sorted(LOOKUPS))
        asked, hidden = lower(request.args)
        if failures := lookup.refused(request.tok, asked):
            return pb.InvokeResponse(failures=_failures(failures))
        if contains_unknown(asked):
            raise ProviderError(f"{request.tok} was asked with arguments that are not known yet")
        session = self._connected
        answer = lift(self._run(lambda: lookup.answer(session, asked)), hidden)
        given: dict[str, Any] = {"return": answer}  # A keyword of Python.
        return pb.InvokeResponse(**given)

    # --- How it is done ---------------------------------------------------------------------------

    @property
    def _connected(self) -> Session:
        if self._session is None:
            raise ProviderError("the provider was not configured before its first operation")
        return self._session

    def _operation(
        self,
        request: Any,
        inputs: Mapping[str, Any],
        old: Mapping[str, Any] | None = None,
        changed: set[str] | frozenset[str] = frozenset(),
    ) -> Operation:
        return Operation(
            type=_type(request.urn),
            session=self._connected,
            cwd=self._cwd,
            cancelled=self._cancelled,
            inputs=inputs,
            state=old or {},
            id=getattr(request, "id", ""),
            changed=frozenset(changed),
            timeout=request.timeout,
        )

    def _run(self, work: Callable[[], Answer]) -> Answer:
        """Do work that a cancel lets end, but not for long."""
        running: Future[Any] = self._pool.submit(work)
        wait({running, self._end}, return_when=FIRST_COMPLETED)
        wait({running}, timeout=GRACE)
        if not running.done():
            raise CancelledError("cancelled while the cloud had not answered yet")
        return running.result()


def _type(urn: str) -> ResourceType:
    # A URN's type names the types of its parents too: parent$child.
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in TYPES:
        raise UnknownTokenError("type", token, sorted(TYPES))
    return TYPES[token]


def _failures(failures: list[Failure]) -> list[pb.CheckFailure]:
    return [pb.CheckFailure(property=each.path, reason=each.reason) for each in failures]


def _some(found: Any) -> Any:
    return pb.DiffResponse.DIFF_SOME if found else pb.DiffResponse.DIFF_NONE


def _ignored(path: str, ignored: Any) -> bool:
    return any(
        each == "*" or path == each or path.startswith((f"{each}.", f"{each}[")) for each in ignored
    )


def _would_clash(each: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a replacement would meet the old resource: its name is given and stays the same."""
    if not each.unique or (each.autoname and each.autoname.name in new.get(DEFAULTS, ())):
        return False
    return all(old.get(name) == new.get(name) for name in each.unique)
