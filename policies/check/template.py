"""Reading a CloudFormation template (JSON or YAML, SAM included) that nobody deploys yet."""

import re
from collections.abc import Iterator
from pathlib import Path

from policies.carriers.cloudformation import resources_of
from policies.carriers.document import Unreadable, read
from policies.check.subject import Subject, UncheckableError, read_text
from policies.kinds import STACK
from policies.model import Registered, Resource
from policies.values import NO_PROPS, Value, as_list


def subject(file: Path) -> Subject:
    """Read the resources of a template; raises `UncheckableError`."""
    template = read(read_text(file))
    if isinstance(template, Unreadable):
        raise UncheckableError(f"{file} cannot be checked: {template.reason}")
    if not isinstance(template.get("Resources"), dict):
        raise UncheckableError(f"{file} is no template: it has no resources")
    whole = Resource(
        type="template", kind=STACK, name=file.name, urn=file.as_posix(), props=NO_PROPS
    )
    registered = [
        _registered(resource, template) for resource in resources_of(whole, template, None)
    ]
    return Subject(file=file, what="template", registered=registered)


def _registered(resource: Resource, template: dict[str, Value]) -> Registered:
    logical_id = resource.inside[-1] if resource.inside else resource.name
    named = Resource(
        type=resource.type,
        kind=resource.kind,
        name=logical_id,
        urn=logical_id,
        props=resource.props,
    )
    resources = template["Resources"]
    definition = resources.get(logical_id) if isinstance(resources, dict) else None
    properties = definition.get("Properties") if isinstance(definition, dict) else None
    depends_on = definition.get("DependsOn") if isinstance(definition, dict) else None
    return Registered(
        resource=named,
        dependencies=[name for name in as_list(depends_on) if isinstance(name, str)],
        property_dependencies={
            name[:1].lower() + name[1:]: sorted(set(_references(value)))
            for name, value in (properties if isinstance(properties, dict) else {}).items()
        },
    )


def _references(value: Value) -> Iterator[str]:
    """Yield the logical ids that a value refers to."""
    if isinstance(value, list):
        for element in value:
            yield from _references(element)
    elif isinstance(value, dict):
        for name, argument in value.items():
            if name == "Ref" and isinstance(argument, str):
                yield argument
            elif name == "Fn::GetAtt":
                first = argument[0] if isinstance(argument, list) and argument else argument
                if isinstance(first, str):
                    yield first.partition(".")[0]
            else:
                if name == "Fn::Sub":
                    yield from _placeholders(argument)
                yield from _references(argument)


def _placeholders(argument: Value) -> Iterator[str]:
    """Yield the logical ids in a text with placeholders: `/aws/lambda/${Orders}`."""
    text = argument[0] if isinstance(argument, list) and argument else argument
    if isinstance(text, str):
        yield from re.findall(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}", text)
