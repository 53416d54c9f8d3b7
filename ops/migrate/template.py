"""CloudFormation templates as plain data: JSON or YAML, their tags spelled out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import yaml

from ops.errors import OperatorError


class TemplateLoader(yaml.SafeLoader):
    """A safe YAML loader that knows CloudFormation's short-form tags, and keeps dates as text."""


def load(text: str) -> dict[str, Any]:
    """Parse a template, JSON or YAML; `!Ref x` becomes `{"Ref": "x"}`, `!GetAtt a.b` a list of two.

    Raises OperatorError for what is neither, and for a tag that CloudFormation does not have.
    """
    try:
        document = cast("object", yaml.load(text, Loader=TemplateLoader))  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise OperatorError(f"the template is neither JSON nor YAML: {error}") from error
    if not isinstance(document, dict):
        raise OperatorError("the template is not an object")
    return cast("dict[str, Any]", document)


def walk(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value below `value` with its path, the outer ones first."""
    yield path, value
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from walk(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from walk(item, (*path, index))


def references(value: Any) -> set[str]:
    """The logical ids that `value` names by Ref, Fn::GetAtt, Fn::Sub or DependsOn."""
    found: set[str] = set()
    for _, item in walk(value):
        if not isinstance(item, dict):
            continue
        node = cast("dict[str, Any]", item)
        if isinstance(node.get("Ref"), str):
            found.add(node["Ref"])
        attribute = node.get("Fn::GetAtt")
        if isinstance(attribute, list) and attribute:
            found.add(str(cast("list[Any]", attribute)[0]))
        elif isinstance(attribute, str):
            found.add(attribute.split(".")[0])
        found |= substitutions(node.get("Fn::Sub"))
        depends = node.get("DependsOn")
        if isinstance(depends, str):
            found.add(depends)
        elif isinstance(depends, list):
            found.update(str(name) for name in cast("list[Any]", depends))
    return found


def substitutions(sub: Any) -> set[str]:
    """The logical ids inside a Fn::Sub, its own variables left out."""
    own: set[str] = set()
    if isinstance(sub, list) and sub:
        parts = cast("list[Any]", sub)
        if len(parts) > 1 and isinstance(parts[1], dict):
            own = set(cast("dict[str, Any]", parts[1]))
        sub = parts[0]
    if not isinstance(sub, str):
        return set()
    found: set[str] = set()
    for piece in sub.split("${")[1:]:
        name = piece.split("}", 1)[0].strip()
        if name.startswith("!") or "::" in name:
            continue
        found.add(name.split(".")[0])
    return found - own


def sub_text(value: Any) -> str | None:
    """A text, Ref, Fn::GetAtt, Fn::Join or Fn::Sub as one text of a Fn::Sub, or None.

    None where a part is known only to CloudFormation, as by Fn::Select or Fn::ImportValue.
    """
    if isinstance(value, str):
        return value.replace("${", "${!")
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        return None
    ((function, given),) = cast("dict[str, Any]", value).items()
    if function == "Ref":
        return f"${{{given}}}"
    if function == "Fn::GetAtt":
        return f"${{{given if isinstance(given, str) else '.'.join(map(str, given))}}}"
    if function == "Fn::Join":
        return _joined(given)
    if function == "Fn::Sub":
        return _substituted(given)
    return None


def _joined(given: Any) -> str | None:
    if not isinstance(given, list) or len(cast("list[Any]", given)) != 2:
        return None
    delimiter, parts = cast("tuple[Any, Any]", given)
    if not isinstance(delimiter, str) or not isinstance(parts, list):
        return None
    texts = [sub_text(part) for part in cast("list[Any]", parts)]
    known = [text for text in texts if text is not None]
    return delimiter.join(known) if len(known) == len(texts) else None


def _substituted(given: Any) -> str | None:
    if isinstance(given, str):
        return given
    if not isinstance(given, list) or len(cast("list[Any]", given)) != 2:
        return None
    text, own = cast("tuple[Any, Any]", given)
    if not isinstance(text, str) or not isinstance(own, dict):
        return None
    for name, value in cast("dict[str, Any]", own).items():
        rendered = sub_text(value)
        if rendered is None:
            return None
        text = text.replace(f"${{{name}}}", rendered)
    return text


def _construct(name: str) -> Callable[[TemplateLoader, yaml.Node], dict[str, Any]]:
    long = name if name in {"Ref", "Condition"} else f"Fn::{name}"

    def construct(loader: TemplateLoader, node: yaml.Node) -> dict[str, Any]:
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
            if name == "GetAtt":
                value = str(value).split(".", 1)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
        return {long: value}

    return construct


_TAGS = (
    *("And", "Base64", "Cidr", "Condition", "Contains", "EachMemberEquals", "EachMemberIn"),
    *("Equals", "FindInMap", "ForEach", "GetAtt", "GetAZs", "If", "ImportValue", "Join"),
    *("Length", "Not", "Or", "Ref", "RefAll", "Select", "Split", "Sub", "ToJsonString"),
    *("Transform", "ValueOf"),
)

for _tag in _TAGS:
    TemplateLoader.add_constructor(f"!{_tag}", _construct(_tag))
# `AWSTemplateFormatVersion: 2010-09-09` is text to CloudFormation, not a date.
TemplateLoader.add_constructor(
    "tag:yaml.org,2002:timestamp",
    lambda loader, node: loader.construct_scalar(cast("yaml.ScalarNode", node)),
)
