"""Reading a CloudFormation template: JSON, or YAML with the short tags of its functions.

A document in which one key stands twice is refused: readers disagree on which of the two counts.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from policies import wire
from policies.values import Value

if TYPE_CHECKING:
    import yaml

MAX_BYTES: Final = 1_000_000
"""CloudFormation's own limit of a template; what is larger it would not take either."""


MAX_NODES: Final = 200_000
"""Values that are read, aliases expanded: a small document can name itself many times."""


@dataclass(frozen=True)
class Unreadable:
    """Why a document cannot be read."""

    reason: str


class _DuplicateKeyError(ValueError):
    """A key that stands twice in one mapping."""

    def __init__(self, key: object) -> None:
        super().__init__(f"the key {key!r} stands twice in one mapping")


def read(text: str) -> dict[str, Value] | Unreadable:
    """Return a template as a mapping, with functions in their long form (`Fn::Sub`, `Ref`)."""
    if len(text) > MAX_BYTES:
        return Unreadable(f"the template is larger than {MAX_BYTES:,} characters")
    try:
        document = _from_json(text) if text.lstrip().startswith("{") else _from_yaml(text)
        if _is_too_large(document):
            return Unreadable(f"the template has more than {MAX_NODES:,} values")
        value = wire.from_json(document)
    except RecursionError:
        return Unreadable("the template is nested too deeply")
    except _DuplicateKeyError as error:
        return Unreadable(str(error))
    except ValueError:
        return Unreadable("the template is neither JSON nor YAML")
    return value if isinstance(value, dict) else Unreadable("the template is not a mapping")


def _is_too_large(document: Any) -> bool:
    pending = [document]
    count = 0
    while pending:
        value = pending.pop()
        count += 1
        if count > MAX_NODES:
            return True
        if isinstance(value, dict):
            pending.extend(cast("dict[Any, Any]", value).values())
        elif isinstance(value, list):
            pending.extend(cast("list[Any]", value))
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise _DuplicateKeyError(key)
        mapping[key] = value
    return mapping


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError:
        # A flow mapping of YAML begins like JSON.
        return _from_yaml(text)


def _from_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - a safe loader, with more tags
    except yaml.YAMLError as error:
        raise ValueError(type(error).__name__) from error


@cache
def _loader() -> "type[yaml.SafeLoader]":
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class TemplateLoader(base):
        """A safe loader that knows the short tags and refuses a key that stands twice."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                key = key_node.value if isinstance(key_node.value, str) else repr(key_node)
                if key in seen and key != "<<":
                    raise _DuplicateKeyError(key)
                seen.add(key)
            parent: Any = super()
            return parent.construct_mapping(node, deep=deep)

    def short_tag(loader: Any, suffix: str, node: Any) -> Any:
        name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
        if isinstance(node, yaml.ScalarNode):
            value: Any = loader.construct_scalar(node)
            if suffix == "GetAtt":
                value = value.split(".", 1)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        return {name: value}

    def text_tag(loader: Any, node: Any) -> Any:
        return loader.construct_scalar(node)

    loader = cast("Any", TemplateLoader)
    loader.add_multi_constructor("!", short_tag)
    # A date in a template is its text (`AWSTemplateFormatVersion: 2010-09-09`).
    loader.add_constructor("tag:yaml.org,2002:timestamp", text_tag)
    return loader
