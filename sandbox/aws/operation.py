"""One operation on one resource: its values by the API's names, its calls, its waiting."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.aws.api import gone
from sandbox.aws.errors import CancelledError, CloudError, ProviderError
from sandbox.aws.schema import Kind, Property, ResourceType, Tagging

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sandbox.aws.session import Session


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

    def service(self, name: str) -> Any:
        """Return the calls of a service."""
        return self.session.api(name, self.region)

    @property
    def api(self) -> Any:
        """The calls of the type's own service."""
        return self.service(self.type.service)

    def get(self, name: str, default: Any = None) -> Any:
        """Return an input, else what the state has under that name."""
        value = self.inputs.get(name)
        return self.state.get(name, default) if value is None else value

    def read(self) -> Mapping[str, Any] | None:
        """Return what the API says of the resource, or None when it is gone."""
        with tolerating_absence():
            return self.type.read(self)
        return None

    def arn(self, service: str, resource: str, *, account: bool = True) -> str:
        """Return an ARN in the resource's region."""
        owner = self.session.account if account else ""
        return f"arn:aws:{service}:{self.region}:{owner}:{resource}"

    # --- Values by the API's names ----------------------------------------------------------------

    def parameters(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return inputs by the API's names.

        With `names`, only those, and what an input left empty takes the property away.
        """
        found: dict[str, Any] = {}
        for known in self.type.properties.values():
            if known.aws is None or known.output or (names is not None and known.name not in names):
                continue
            value = self.inputs.get(known.name)
            if value is None and names is not None:
                value = known.empty
            if value is not None:
                found[known.aws] = to_aws(known, value)
        return found

    @property
    def changed_parameters(self) -> dict[str, Any]:
        """The changed inputs by the API's names."""
        return self.parameters(self.changed)

    # --- Tags -------------------------------------------------------------------------------------

    @property
    def tags(self) -> dict[str, str]:
        """All tags of the resource: the provider's default ones, then its own."""
        return {**self.session.default_tags, **(self.inputs.get("tags") or {})}

    def tag_parameters(self) -> dict[str, Any]:
        """Return what a creating call takes for the tags."""
        how = self.type.tagging
        return {how.parameter: tag_value(how, self.tags)} if how and self.tags else {}

    def listed_tags(self, arn: str) -> dict[str, str]:
        """Return the tags that the cloud has on the resource."""
        how = self.type.tagging
        if how is None:
            return {}
        target = {how.target: self.id if how.target_from == "id" else arn}
        found = getattr(self.api, how.listing)(**target).get(how.listed) or {}
        return {each["Key"]: each["Value"] for each in found} if how.pairs else dict(found)

    def update_tags(self) -> None:
        """Bring the cloud's tags from the state's to the inputs'."""
        how = self.type.tagging
        if how is None:
            return
        before, after = dict(self.state.get("tagsAll") or {}), self.tags
        target = {how.target: self.id if how.target_from == "id" else self.get(how.target_from)}
        added = {key: value for key, value in after.items() if before.get(key) != value}
        if removed := [key for key in before if key not in after]:
            getattr(self.api, how.untag)(**target, **{how.keys: removed})
        if added:
            getattr(self.api, how.tag)(
                **target, **{how.tag_parameter or how.parameter: tag_value(how, added)}
            )

    # --- Time -------------------------------------------------------------------------------------

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


def tag_value(how: Tagging, tags: Mapping[str, str]) -> Any:
    """Spell tags as a service takes them."""
    if how.pairs:
        return [{"Key": key, "Value": value} for key, value in tags.items()]
    return dict(tags)


def to_aws(known: Property, value: Any) -> Any:
    """Turn a property's value into the API's."""
    match known.kind:
        case Kind.OBJECT:
            return {
                field_.aws: to_aws(field_, value[name])
                for name, field_ in known.fields.items()
                if field_.aws and value.get(name) is not None
            }
        case Kind.LIST | Kind.SET if known.item and known.item.kind is Kind.OBJECT:
            return [to_aws(known.item, each) for each in value]
        case _:
            return value


def from_aws(known: Property, value: Any) -> Any:
    """Turn the API's value into a property's; None when there is nothing in it."""
    match known.kind:
        case Kind.OBJECT if isinstance(value, Mapping):
            fields = {
                name: from_aws(each, value[each.aws])
                for name, each in known.fields.items()
                if each.aws and value.get(each.aws) is not None
            }
            return fields or None
        case Kind.LIST | Kind.SET if known.item and known.item.kind is Kind.OBJECT:
            return [from_aws(known.item, each) or {} for each in value]
        case Kind.LIST | Kind.SET | Kind.MAP:
            return value or None
        case Kind.INTEGER:
            return int(value)
        case Kind.DECIMAL:
            return int(value) if float(value).is_integer() else float(value)
        case Kind.FLAG:
            return value in (True, "true")
        case Kind.JSON if not isinstance(value, str):
            return json.dumps(value)
        case Kind.TEXT | Kind.JSON:
            return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
        case _:
            return value
