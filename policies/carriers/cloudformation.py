"""What a CloudFormation stack or stack set creates: the resources of its template."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.carriers.document import Unreadable, read
from policies.carriers.functions import Scope
from policies.kinds import API, CUSTOM_RESOURCE, kind_of
from policies.model import Resource
from policies.values import NO_PROPS, UNKNOWN, Props, Value, as_list, as_text, fold

# Transforms that CloudFormation runs itself and that create nothing beyond what the template says.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-reference.html
_KNOWN_TRANSFORMS: Final = (
    "AWS::Serverless-",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-",
    "AWS::CodeDeployBlueGreen",
)
_LOOP: Final = "Fn::ForEach"
_MACRO: Final = "Fn::Transform"


def carried(resource: Resource) -> Iterator[Resource]:
    """Yield the resources of a stack's template, and a stand-in for what cannot be read."""
    props = resource.props
    url = props.get("templateUrl")
    if url is not None:
        source = as_text(url)
        yield resource.opaque(
            f"its template is read from {_said(source)}",
            source=source if isinstance(source, str) else "",
        )
    body = props.get("templateBody")
    if body is None:
        if url is None:
            yield resource.opaque("it brings no template that could be read", source="")
        return
    template = _template(body)
    if isinstance(template, Unreadable):
        yield resource.opaque(template.reason, source="")
        return
    given, all_given = _given(props.get("parameters"))
    yield from resources_of(resource, template, given, all_given=all_given)


def resources_of(
    carrier: Resource,
    template: Mapping[str, Value],
    given: Mapping[str, Value] | None,
    *,
    all_given: bool = True,
) -> Iterator[Resource]:
    """Yield the resources of a template; `given` are the values of its parameters, if known."""
    scope = Scope(
        definitions=_section(template, "Parameters"),
        given=given,
        conditions=_section(template, "Conditions"),
        mappings=_section(template, "Mappings"),
        all_given=all_given,
    )
    for transform in as_list(template.get("Transform")):
        yield from _macro(carrier, transform)
    if _MACRO in template:
        yield from _macro(carrier, template[_MACRO])
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        yield carrier.opaque("its template has no resources that can be read", source="")
        return
    yield from _resources(carrier, resources, scope)


def _resources(
    carrier: Resource, resources: Mapping[str, Value], scope: Scope
) -> Iterator[Resource]:
    for logical_id, definition in resources.items():
        if logical_id == _MACRO:
            yield from _macro(carrier, definition)
        elif logical_id.startswith(_LOOP):
            yield from _loop(carrier, logical_id, definition, scope)
        else:
            yield from _resource(carrier, logical_id, definition, scope)


def _loop(carrier: Resource, name: str, definition: Value, scope: Scope) -> Iterator[Resource]:
    # [variable, collection, {"<logical id>": definition}]; the variable's values stay unknown.
    if isinstance(definition, list) and len(definition) == 3 and isinstance(definition[2], dict):
        yield from _resources(carrier, definition[2], scope)
    else:
        yield carrier.opaque("a loop in its template cannot be read", source="", inside=(name,))


def _resource(
    carrier: Resource, logical_id: str, definition: Value, scope: Scope
) -> Iterator[Resource]:
    if not isinstance(definition, dict):
        reason = f'"{logical_id}" in its template cannot be read'
        yield carrier.opaque(reason, source="", inside=(logical_id,))
        return
    if _MACRO in definition:
        yield from _macro(carrier, definition[_MACRO], logical_id)
    if "Condition" in definition and scope.holds({"Condition": definition["Condition"]}) is False:
        return
    type_ = definition.get("Type")
    if not isinstance(type_, str) or not type_.strip():
        reason = f'the type of "{logical_id}" in its template cannot be read'
        yield carrier.opaque(reason, source="", inside=(logical_id,))
        return
    type_ = type_.strip()
    if type_.casefold().endswith("::module"):
        reason = f"{type_} is a module, whose resources are kept in a registry"
        yield carrier.opaque(reason, source=type_, inside=(logical_id,))
        return
    kind = kind_of(type_)
    if kind is None and not type_.casefold().startswith("aws::"):
        kind = CUSTOM_RESOURCE
    yield carrier.containing(type_, kind, _properties(definition, kind, scope), logical_id)


def _properties(definition: Mapping[str, Value], kind: str | None, scope: Scope) -> Props:
    raw = definition.get("Properties")
    if raw is None:
        return NO_PROPS
    resolved = scope.resolve(raw)
    if not isinstance(resolved, dict):
        return Props({}, known=False)
    # A property that a macro computes hides every other: `Fn::Transform` merges into its siblings.
    if isinstance(raw, dict) and _MACRO in raw:
        return Props({}, known=False)
    properties = {name: value for name, value in resolved.items() if value is not None}
    if kind == API and isinstance(raw, dict):
        # What decides must not rest on a default that another value may replace.
        properties |= {
            name: scope.resolve(value, strictly=True)
            for name, value in raw.items()
            if fold(name) == "protocoltype"
        }
    return Props(properties)


def _macro(carrier: Resource, transform: Value, *inside: str) -> Iterator[Resource]:
    name = transform.get("Name") if isinstance(transform, dict) else transform
    text = as_text(name)
    if isinstance(text, str) and text.startswith(_KNOWN_TRANSFORMS):
        return
    source = text if isinstance(text, str) else ""
    reason = f"its template is rewritten by the macro {_said(text)}"
    yield carrier.opaque(reason, source=source, inside=inside)


def _template(body: Value) -> dict[str, Value] | Unreadable:
    if isinstance(body, dict):
        return body
    if body is UNKNOWN:
        return Unreadable("its template is not known yet")
    return read(body) if isinstance(body, str) else Unreadable("its template is not a text")


def _given(parameters: Value) -> tuple[dict[str, Value], bool]:
    if parameters is UNKNOWN:
        return {}, False
    if isinstance(parameters, dict):
        return parameters, True
    # As the API lists them: [{"ParameterKey": ..., "ParameterValue": ...}]
    given: dict[str, Value] = {}
    for entry in as_list(parameters):
        props = Props(entry) if isinstance(entry, dict) else NO_PROPS
        name = props.text("parameterKey")
        if not isinstance(name, str):
            return given, False
        given[name] = props.get("parameterValue")
    return given, True


def _section(template: Mapping[str, Value], name: str) -> Mapping[str, Value]:
    section = template.get(name)
    return section if isinstance(section, dict) else {}


def _said(value: object) -> str:
    return value if isinstance(value, str) else repr(value)
