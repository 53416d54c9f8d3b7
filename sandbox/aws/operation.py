"""One operation on one resource: the calls that the table names, what they take, the waiting."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sandbox.aws.errors import CancelledError, ProviderError
from sandbox.aws.schema import ResourceType
from sandbox.aws.session import Session, tolerating_absence
from sandbox.aws.shapes import bury, dig, to_aws, unpaired

_TAG_CALLS: Final = {
    "apigatewayv2": ("tag_resource", "untag_resource", "get_tags"),
    "dynamodb": ("tag_resource", "untag_resource", "list_tags_of_resource"),
    "iam": ("tag_role", "untag_role", "list_role_tags"),
    "lambda": ("tag_resource", "untag_resource", "list_tags"),
    "sqs": ("tag_queue", "untag_queue", "list_queue_tags"),
}
_USUAL_TAG_CALLS: Final = ("tag_resource", "untag_resource", "list_tags_for_resource")


Answer = TypeVar("Answer")


@dataclass(kw_only=True)
class Operation:
    """What one call of the provider works with.

    `inputs` are the checked inputs (for read and delete, the state), `state` the outputs of the
    last operation, `changed` the properties that an update is about.
    """

    type: ResourceType
    session: Session
    inputs: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    changed: frozenset[str] = frozenset()
    timeout: float = 0.0

    def get(self, name: str) -> Any:
        """Return an input, else what the state has under that name."""
        value = self.inputs.get(name)
        return self.state.get(name) if value is None else value

    @property
    def region(self) -> str:
        """The region that the resource is in."""
        return self.get("region") or self.session.region

    # --- Calls ------------------------------------------------------------------------------------

    @property
    def key(self) -> dict[str, Any]:
        """The parameters by which calls find the resource."""
        key = self.type.key.items()
        return {name: self.id if source == "id" else self.get(source) for name, source in key}

    def call(self, name: str, /, **parameters: Any) -> Any:
        """Make a call of the type's service about the resource."""
        api = self.session.api(self.type.service, self.region)
        return api.call(name, {**self.key, **parameters})

    def takes(self, name: str) -> frozenset[str]:
        """Return what a call takes, but for the key."""
        shape = self.session.api(self.type.service, self.region).shape(name)
        return frozenset(shape.members.keys() - self.key.keys())

    def read(self) -> dict[str, Any] | None:
        """Return what the API says of the resource, or None when it is gone."""
        how, key = self.type.read, self.key
        with tolerating_absence():
            found = dig(self.call(how) if isinstance(how, str) else how(self), self.type.answer)
            if isinstance(found, list):
                mine = [it for it in found if all(it.get(k, v) == v for k, v in key.items())]
                found = mine[0] if mine else None
            if found is not None:
                return self.type.tells(self, {**found, **key})
        return None

    def parameters(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return inputs by the API's names.

        With `names`, only those, and what an input left empty takes the property away.
        """
        found: dict[str, Any] = {}
        for name, known in self.type.properties.items():
            value = self.inputs.get(name)
            wanted = value is not None if names is None else name in names
            if wanted and known.aws and not known.output:
                value = known.kind.empty if value is None else value
                bury(found, known.aws, to_aws(known, value))
        return self.type.sends(self, found)

    def set_apart(self, names: Iterable[str], parameters: Mapping[str, Any]) -> None:
        """Make the calls that properties have of their own: to set them, or to take them away."""
        for name in names:
            known = self.type.properties.get(name)
            unset = known is None or self.inputs.get(name) in (None, known.default)
            if known and known.own and (self.state or not unset):
                self.settled()
                self.call(known.own[unset], **parameters)

    # --- Tags -------------------------------------------------------------------------------------

    @property
    def tags(self) -> dict[str, str]:
        """All tags of the resource: the provider's default ones, then its own."""
        return {**self.session.default_tags, **(self.inputs.get("tags") or {})}

    def _tag_call(self, which: int, arn: Any, **parameters: Any) -> Any:
        """Make one of a service's calls about tags, with what any of them may call the resource."""
        named = dict.fromkeys(("ResourceARN", "ResourceArn", "resourceArn", "Resource"), arn)
        calls = _TAG_CALLS.get(self.type.service, _USUAL_TAG_CALLS)
        return self.call(calls[which], **named, **parameters)

    def listed_tags(self, arn: Any) -> dict[str, str]:
        """Return the tags that the cloud has on the resource."""
        found = self._tag_call(2, arn)
        return unpaired(found.get("Tags") or found.get("tags")) or {}

    def update_tags(self) -> None:
        """Bring the cloud's tags from the state's to the inputs'."""
        before, after, arn = self.state.get("tagsAll") or {}, self.tags, self.get("arn")
        added = {key: value for key, value in after.items() if before.get(key) != value}
        if removed := [key for key in before if key not in after]:
            self._tag_call(1, arn, TagKeys=removed, tagKeys=removed)
        if added:
            self._tag_call(0, arn, Tags=added, tags=added)

    # --- Time -------------------------------------------------------------------------------------

    def settled(self) -> dict[str, Any] | None:
        """Wait, where the type takes a while, and return what the API says of the resource then."""
        ready = self.type.ready
        if ready is None:
            return None

        def told() -> dict[str, Any] | None:
            found = self.read()
            return found if found and ready(found) else None

        return self.wait(told, f"{self.type.token} {self.id} is ready")

    def wait(self, ask: Callable[[], Answer], what: str) -> Answer:
        """Ask until there is an answer, ever less often; ends with the time or a cancel."""
        patience = self.timeout or 300.0
        end = time.monotonic() + patience
        pause = 0.02
        while not (answer := ask()):
            if time.monotonic() > end:
                raise ProviderError(f"{what} did not happen within {patience:.0f} s")
            if self.session.cancelled.wait(pause):
                raise CancelledError(f"cancelled while waiting until {what}")
            pause = min(pause * 1.4, 0.5)
        return answer
