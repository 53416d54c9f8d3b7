"""One operation on one resource: the calls that the table names, what they take, the waiting."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sandbox.aws.api import gone
from sandbox.aws.errors import CancelledError, CloudError, ProviderError
from sandbox.aws.schema import Property, ResourceType
from sandbox.aws.shapes import EMPTY, bury, dig, to_aws, unpaired

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sandbox.aws.session import Session

_TAG_CALLS: Final = {
    "apigatewayv2": ("tag_resource", "untag_resource", "get_tags"),
    "dynamodb": ("tag_resource", "untag_resource", "list_tags_of_resource"),
    "iam": ("tag_role", "untag_role", "list_role_tags"),
    "lambda": ("tag_resource", "untag_resource", "list_tags"),
    "sqs": ("tag_queue", "untag_queue", "list_queue_tags"),
}
_USUAL_TAG_CALLS: Final = ("tag_resource", "untag_resource", "list_tags_for_resource")


@dataclass(kw_only=True)
class Operation:
    """What one call of the provider works with.

    `inputs` are the checked inputs (for read and delete, the state), `state` the outputs of the
    last operation, `changed` the properties that an update is about.
    """

    type: ResourceType
    session: "Session"
    cwd: "Path"
    cancelled: threading.Event
    inputs: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    changed: frozenset[str] = frozenset()
    timeout: float = 0.0

    @property
    def region(self) -> str:
        """The region that the resource is in."""
        return self.inputs.get("region") or self.state.get("region") or self.session.region

    def get(self, name: str, default: Any = None) -> Any:
        """Return an input, else what the state has under that name."""
        value = self.inputs.get(name)
        return self.state.get(name, default) if value is None else value

    # --- Calls ------------------------------------------------------------------------------------

    @property
    def key(self) -> dict[str, Any]:
        """The parameters by which calls find the resource."""
        return {
            name: self.id if source == "id" else self.get(source)
            for name, source in self.type.key.items()
        }

    def call(self, name: str, /, **parameters: Any) -> Any:
        """Make a call of the type's service about the resource."""
        api = self.session.api(self.type.service, self.region)
        return api.call(name, {**self.key, **parameters})

    def takes(self, name: str) -> frozenset[str]:
        """Return what a call takes, but for the key."""
        return self.session.api(self.type.service, self.region).takes(name) - self.key.keys()

    def read(self) -> dict[str, Any] | None:
        """Return what the API says of the resource, or None when it is gone."""
        how = self.type.read
        with tolerating_absence():
            found = dig(self.call(how) if isinstance(how, str) else how(self), self.type.answer)
            if isinstance(found, list):
                mine = self.key.items()
                found = next((it for it in found if all(it.get(k, v) == v for k, v in mine)), None)
            if found is not None:
                found = {**found, **self.key}
                return self.type.tells(self, found) if self.type.tells else found
        return None

    def parameters(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return inputs by the API's names.

        With `names`, only those, and what an input left empty takes the property away; without, no
        property that is false by default, for some APIs refuse to be told so.
        """
        found: dict[str, Any] = {}
        for known in self.type.properties.values():
            value = self.inputs.get(known.name)
            if known.aws is None or known.output or (names is not None and known.name not in names):
                continue
            if value is None and names is not None:
                value = EMPTY.get(known.kind)
            if value is not None and (
                names is not None or value is not False or known.default is not False
            ):
                bury(found, known.aws, to_aws(known, value))
        return self.type.sends(self, found) if self.type.sends else found

    def set_apart(self, properties: Iterable[Property], parameters: Mapping[str, Any]) -> None:
        """Make the calls that properties have of their own: to set them, or to take them away."""
        for known in properties:
            if known.own:
                setting, unsetting = known.own
                value = self.inputs.get(known.name)
                self.call(unsetting if value in (None, known.default) else setting, **parameters)

    # --- Tags -------------------------------------------------------------------------------------

    @property
    def tags(self) -> dict[str, str]:
        """All tags of the resource: the provider's default ones, then its own."""
        return {**self.session.default_tags, **(self.inputs.get("tags") or {})}

    def tag_parameters(self) -> dict[str, Any]:
        """Return what a creating call takes for the tags, in both of the services' spellings."""
        return {"Tags": self.tags, "tags": self.tags} if self.type.tagged and self.tags else {}

    def _tag_call(self, which: int, arn: str, **parameters: Any) -> Any:
        names = ("ResourceARN", "ResourceArn", "resourceArn", "Resource")
        name = _TAG_CALLS.get(self.type.service, _USUAL_TAG_CALLS)[which]
        return self.call(name, **dict.fromkeys(names, arn), **parameters)

    def listed_tags(self, arn: str) -> dict[str, str]:
        """Return the tags that the cloud has on the resource."""
        found = self._tag_call(2, arn)
        tags = found.get("Tags") or found.get("tags") or {}
        return unpaired(tags)

    def update_tags(self) -> None:
        """Bring the cloud's tags from the state's to the inputs'."""
        before, after, arn = dict(self.state.get("tagsAll") or {}), self.tags, self.get("arn")
        added = {key: value for key, value in after.items() if before.get(key) != value}
        if removed := [key for key in before if key not in after]:
            self._tag_call(1, arn, TagKeys=removed, tagKeys=removed)
        if added:
            self._tag_call(0, arn, Tags=added, tags=added)

    # --- Time -------------------------------------------------------------------------------------

    def settled(self) -> dict[str, Any] | None:
        """Wait until the resource can be used, and return what the API says of it then."""
        found: dict[str, Any] | None = None

        def ready() -> bool:
            nonlocal found
            found = self.read()
            return self.type.ready is None or (found is not None and self.type.ready(found))

        self.wait(ready, f"{self.type.token} {self.id} is ready")
        return found

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """Ask until `done`, at growing intervals; ends with the operation's time or a cancel."""
        patience = self.timeout or 300.0
        end = time.monotonic() + patience
        pause = 0.02
        while not done():
            if time.monotonic() > end:
                raise ProviderError(f"{what} did not happen within {patience:.0f} s")
            if self.cancelled.wait(pause):
                raise CancelledError(f"cancelled while waiting until {what}")
            pause = min(pause * 1.4, 0.5)


@contextmanager
def tolerating_absence() -> "Generator[None]":
    """Treat what does not exist (any more) as done."""
    try:
        yield
    except CloudError as error:
        if not gone(error):
            raise
