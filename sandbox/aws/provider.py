"""The provider: takes the engine's requests, looks the type up in the table, and answers."""

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pulumi.provider.experimental.provider import (
    CheckFailure,
    CheckRequest,
    CheckResponse,
    ConfigureRequest,
    ConfigureResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    InvokeRequest,
    InvokeResponse,
    PropertyDiffKind,
    Provider,
    ReadRequest,
    ReadResponse,
    UpdateRequest,
    UpdateResponse,
)

from sandbox.aws import config, lifecycle, state
from sandbox.aws.check import DEFAULTS, Failure, check
from sandbox.aws.code import ArchiveError, sha256
from sandbox.aws.diff import Changes, changes, detailed
from sandbox.aws.errors import (
    CancelledError,
    IncompleteError,
    ProviderError,
    UnknownTokenError,
)
from sandbox.aws.lookups import LOOKUPS
from sandbox.aws.operation import Operation
from sandbox.aws.schema import ResourceType
from sandbox.aws.session import ENDPOINT, EndpointRefusedError, Session, loopback
from sandbox.aws.types import TYPES
from sandbox.aws.values import UNKNOWN, contains_unknown, lift, lower, spell

GRACE = 2.0
"""Seconds that a call to the cloud may take to end once the engine has cancelled."""

CODE_HASH = "codeSha256"

Answer = TypeVar("Answer")


class AwsProvider(Provider):
    """The table of types, served in the shape of Pulumi's experimental provider."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        cwd: Path | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._environment = environment
        self._cwd = cwd or Path.cwd()
        self._notice = notice or _to_stderr
        self._session: Session | None = None
        self._cancelled = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="aws")

    # --- Configuration ----------------------------------------------------------------------------

    async def check_config(self, request: CheckRequest) -> CheckResponse:
        """Refuse settings that the sandbox cannot honour, and an endpoint that is not its own."""
        given, _ = lower(request.new_inputs)
        failures = config.refused(given)
        try:
            loopback(self._environment.get(ENDPOINT))
        except EndpointRefusedError as error:
            failures.append(Failure(path="", reason=str(error)))
        return CheckResponse(inputs=request.new_inputs, failures=_failures(failures))

    async def diff_config(self, request: DiffRequest) -> DiffResponse:
        """Another region means other resources; everything else takes effect as it is."""
        old, _ = lower(request.old_state)
        new, _ = lower(request.new_inputs)
        before = config.read(old, self._environment)
        after = config.read(new, self._environment)
        moved = ["region"] if before.region != after.region else []
        changed = moved + (["defaultTags"] if before.default_tags != after.default_tags else [])
        return DiffResponse(changes=bool(changed), replaces=moved, diffs=changed)

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
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
        return ConfigureResponse(accept_secrets=True, supports_preview=True)

    # --- Planning ---------------------------------------------------------------------------------

    async def check(self, request: CheckRequest) -> CheckResponse:
        """Normalise inputs, fill in defaults and names, and name what is wrong by its path."""
        each = _type(request.type)
        given, hidden = lower(request.new_inputs)
        olds, _ = lower(request.old_inputs)
        inputs, failures = check(each, given, olds, request.name, request.random_seed)
        code = inputs.get("code")
        if code is not None and code is not UNKNOWN and not failures:
            # The hash goes along as an input: engines leave an archive's contents out of a diff.
            try:
                inputs[CODE_HASH] = sha256(code, self._cwd)
            except ArchiveError as error:
                failures.append(Failure(path="code", reason=str(error)))
        return CheckResponse(inputs=lift(inputs, hidden), failures=_failures(failures))

    async def diff(self, request: DiffRequest) -> DiffResponse:
        """Say which properties changed, and which of them force a replacement."""
        each = _type(request.type)
        old, _ = lower(request.old_state)
        new, _ = lower(request.new_inputs)
        found = {
            path: kind
            for path, kind in self._changes(each, old, new).items()
            if not _ignored(spell(path), request.ignore_changes)
        }
        replaces = sorted(
            {str(path[0]) for path in found if each.properties[str(path[0])].replaces}
        )
        return DiffResponse(
            changes=bool(found),
            replaces=replaces,
            stables=[
                name
                for name, known in each.properties.items()
                if known.replaces or (known.output and not known.volatile)
            ],
            delete_before_replace=bool(replaces) and _would_clash(each, old, new),
            diffs=sorted({str(path[0]) for path in found}),
            detailed_diff=detailed(each, found),
        )

    def _changes(
        self, each: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Changes:
        found = changes(each, old, new)
        code = new.get("code")
        if code is UNKNOWN or (code is not None and new.get(CODE_HASH) != old.get(CODE_HASH)):
            found[("code",)] = PropertyDiffKind.UPDATE
        if each.tagged and self._session and not any(path[0] == "tags" for path in found):
            all_tags = {**self._session.default_tags, **(new.get("tags") or {})}
            if all_tags != (old.get("tagsAll") or {}):
                found[("tagsAll",)] = PropertyDiffKind.UPDATE
        return found

    # --- Doing ------------------------------------------------------------------------------------

    async def create(self, request: CreateRequest) -> CreateResponse:
        """Create a resource and wait until it can be used; a preview tells what it would be."""
        inputs, hidden = lower(request.properties)
        operation = self._operation(request.type, inputs, timeout=request.timeout)
        if request.preview:
            return CreateResponse(properties=lift(state.planned(operation), hidden))
        try:
            outputs = await self._run(lambda: lifecycle.create(operation))
        except IncompleteError as error:
            error.secrets = hidden
            raise
        return CreateResponse(resource_id=operation.id, properties=lift(outputs, hidden))

    async def read(self, request: ReadRequest) -> ReadResponse:
        """Read a resource for a refresh, an import or a `get`; one that is gone has no id."""
        old, hidden = lower(request.properties)
        inputs, hidden_inputs = lower(request.inputs)
        operation = self._operation(request.type, old, state=old, resource_id=request.resource_id)
        if not inputs:
            lifecycle.resolve(operation)
        found = await self._run(lambda: lifecycle.find(operation))
        if found is None:
            return ReadResponse(resource_id="")
        if inputs:
            outputs = state.refreshed(operation, found)
            inputs = state.drifted(operation.type, inputs, outputs)
        else:
            outputs = {**old, **{name: each for name, each in found.items() if each is not None}}
            inputs = state.imported(operation.type, found)
        return ReadResponse(
            resource_id=operation.id,
            properties=lift(outputs, hidden | hidden_inputs),
            inputs=lift(inputs, hidden_inputs),
        )

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        """Bring a resource from its state to its new inputs."""
        each = _type(request.type)
        old, _ = lower(request.olds)
        inputs, hidden = lower(request.news)
        operation = self._operation(
            request.type,
            inputs,
            state=old,
            resource_id=request.resource_id,
            timeout=request.timeout,
            changed=frozenset(
                str(path[0])
                for path in self._changes(each, old, inputs)
                if not _ignored(spell(path), request.ignore_changes)
            ),
        )
        if request.preview:
            return UpdateResponse(properties=lift(state.planned(operation), hidden))
        outputs = await self._run(lambda: lifecycle.update(operation))
        return UpdateResponse(properties=lift(outputs, hidden))

    async def delete(self, request: DeleteRequest) -> None:
        """Delete a resource; one that is gone already is deleted."""
        old, _ = lower(request.properties)
        operation = self._operation(
            request.type,
            old,
            state=old,
            resource_id=request.resource_id,
            timeout=request.timeout,
        )
        if not old.get("skipDestroy"):
            await self._run(lambda: lifecycle.delete(operation))

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        """Answer a look-up."""
        lookup = LOOKUPS.get(request.tok)
        if lookup is None:
            raise UnknownTokenError("look-up", request.tok, sorted(LOOKUPS))
        asked, hidden = lower(request.args)
        failures = [
            CheckFailure(name, f"the sandbox's {request.tok} has no argument {name}")
            for name in sorted(asked.keys() - lookup.arguments)
        ] + [
            CheckFailure(name, f"{request.tok} needs {name}")
            for name in sorted(lookup.required - asked.keys())
        ]
        if failures:
            return InvokeResponse(failures=failures)
        if contains_unknown(asked):
            raise ProviderError(f"{request.tok} was asked with arguments that are not known yet")
        session = self._connected
        answer = await self._run(lambda: lookup.answer(session, asked))
        return InvokeResponse(return_value=lift(answer, hidden))

    async def cancel(self) -> None:
        """End every wait at once and every call within `GRACE`."""
        self._cancelled.set()

    # --- How it is done ---------------------------------------------------------------------------

    @property
    def _connected(self) -> Session:
        if self._session is None:
            raise ProviderError("the provider was not configured before its first operation")
        return self._session

    def _operation(
        self,
        token: str,
        inputs: Mapping[str, Any],
        *,
        state: Mapping[str, Any] | None = None,
        resource_id: str = "",
        changed: frozenset[str] = frozenset(),
        timeout: float = 0.0,
    ) -> Operation:
        return Operation(
            type=_type(token),
            session=self._connected,
            cwd=self._cwd,
            cancelled=self._cancelled,
            inputs=inputs,
            state=state or {},
            id=resource_id,
            changed=changed,
            timeout=timeout,
        )

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        """Do blocking work beside the event loop; a cancel lets a call end, but not for long."""
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        while True:
            done, _ = await asyncio.wait({running}, timeout=0.25)
            if done:
                return running.result()
            if self._cancelled.is_set():
                await asyncio.wait({running}, timeout=GRACE)
                if not running.done():
                    raise CancelledError("cancelled while the cloud had not answered yet")
                return running.result()


def _type(token: str) -> ResourceType:
    # A URN's type names the types of its parents too: parent$child.
    token = token.rpartition("$")[2]
    if token not in TYPES:
        raise UnknownTokenError("type", token, sorted(TYPES))
    return TYPES[token]


def _failures(failures: list[Failure]) -> list[CheckFailure]:
    return [CheckFailure(each.path, each.reason) for each in failures]


def _ignored(path: str, ignored: list[str]) -> bool:
    return any(
        each == "*" or path == each or path.startswith((f"{each}.", f"{each}[")) for each in ignored
    )


def _would_clash(each: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a replacement would meet the old resource: its name is given and stays the same."""
    if not each.unique or (each.autoname and each.autoname.name in new.get(DEFAULTS, ())):
        return False
    return all(old.get(name) == new.get(name) for name in each.unique)


def _to_stderr(message: str) -> None:
    sys.stderr.write(f"{message}\n")
