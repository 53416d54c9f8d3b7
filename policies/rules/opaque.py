"""Infrastructure that cannot be read here, and may therefore hold a WebSocket API."""

from collections.abc import Iterable
from typing import Any, Final

from policies.kinds import DYNAMIC, PRODUCT, SERVERLESS_APPLICATION, TERRAFORM_MODULE
from policies.model import OPAQUE, Finding, Resource
from policies.patterns import any_matches
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings

_ALLOW: Final[dict[str, Any]] = {
    "type": "array",
    "items": {"type": "string"},
    "default": [],
    "description": "Sources that were read and found to hold no WebSocket API; * and ? match.",
}

TEMPLATE: Final = "no-opaque-template"
PRODUCT_RULE: Final = "no-opaque-product"
DYNAMIC_RULE: Final = "no-dynamic-provider"


def check_template(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse a template, or a part of one, that is kept elsewhere or cannot be read."""
    source = resource.props.text("source")
    if isinstance(source, str) and any_matches(settings.allowed(TEMPLATE), source):
        return
    yield Finding(resource=resource, problem=str(resource.props.text("reason")))


def check_product(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse an application, a product or a module whose content is kept elsewhere."""
    sources = [source for source in _sources(resource) if isinstance(source, str)]
    allowed = settings.allowed(PRODUCT_RULE)
    if any(any_matches(allowed, source) for source in sources):
        return
    named = f'"{sources[0]}"' if sources else "something that is not known yet"
    problem = f"the {_what(resource)} {named} is kept elsewhere and may create a WebSocket API"
    yield Finding(resource=resource, problem=problem)


def _what(resource: Resource) -> str:
    return "product" if resource.kind == PRODUCT else str(resource.kind)


def _sources(resource: Resource) -> list[object]:
    props = resource.props
    if resource.kind == TERRAFORM_MODULE:
        return [resource.type.partition(":")[0]]
    if resource.kind == PRODUCT:
        names = ("productId", "productName")
        return [props.text(name) for name in names]
    location = props.block("location")
    return [props.text("applicationId"), location.text("applicationId"), props.text("location")]


def check_dynamic(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse a provider whose code no policy can see."""
    if not any_matches(settings.allowed(DYNAMIC_RULE), resource.type):
        yield Finding(resource=resource, problem="its provider's code is invisible to every policy")


TEMPLATE_RULE = Rule(
    name=TEMPLATE,
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="A template that cannot be read is not deployed.",
    why=(
        "A URL, a macro, a module or a text that is computed while deploying can hold a WebSocket "
        "API that nobody saw."
    ),
    fix=(
        "give the template as a literal text; where it is kept elsewhere for a reason, "
        f"add its address to the allow-list of {TEMPLATE} once it was read."
    ),
    link="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-guide.html",
    kinds=frozenset({OPAQUE}),
    check=check_template,
    options={"allow": _ALLOW},
)

PRODUCT_POLICY = Rule(
    name=PRODUCT_RULE,
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="An application, product or module whose content is kept elsewhere is not deployed.",
    why=(
        "The serverless application repository, Service Catalog and Terraform modules create "
        "resources that a policy does not see before they exist."
    ),
    fix=f"define the resources in the program, or allow the source under {PRODUCT_RULE}.",
    link="https://docs.aws.amazon.com/servicecatalog/latest/adminguide/introduction.html",
    kinds=frozenset({PRODUCT, SERVERLESS_APPLICATION, TERRAFORM_MODULE}),
    check=check_product,
    options={"allow": _ALLOW},
)

DYNAMIC_POLICY = Rule(
    name=DYNAMIC_RULE,
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="No dynamic provider is used.",
    why=(
        "A dynamic provider runs any code while deploying, and the engine takes that code out "
        "before it asks the policies."
    ),
    fix=f"use a resource of a provider, or add the type to the allow-list of {DYNAMIC_RULE}.",
    link="https://www.pulumi.com/docs/iac/concepts/resources/dynamic-providers/",
    kinds=frozenset({DYNAMIC}),
    check=check_dynamic,
    options={"allow": _ALLOW},
)
