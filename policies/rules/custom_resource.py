"""Custom resources of CloudFormation: a handler of one's own that may create anything."""

from collections.abc import Iterable
from typing import Final

from policies.kinds import CUSTOM_RESOURCE
from policies.model import Finding, Resource
from policies.patterns import any_matches
from policies.rule import ADVISORY, Outcome, Rule, Severity
from policies.settings import Settings

NAME: Final = "custom-resource-may-create-api"


def check(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Warn about a resource whose handler is not AWS's own."""
    custom_type = resource.props.text("resourceType")
    type_ = custom_type if isinstance(custom_type, str) else resource.type
    if not any_matches(settings.allowed(NAME), type_):
        problem = f"{type_} is made by a handler that no policy can read"
        yield Finding(resource=resource, problem=problem)


RULE = Rule(
    name=NAME,
    enforcement=ADVISORY,
    severity=Severity.MEDIUM,
    stops="A custom resource runs code that no policy can read.",
    why="Its handler has a role of its own and may create a WebSocket API.",
    fix=f"use a resource of AWS's own, or add the type to the allow-list of {NAME}.",
    link="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html",
    kinds=frozenset({CUSTOM_RESOURCE}),
    check=check,
    options={
        "allow": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Types whose handler was read; * and ? match.",
        }
    },
)
