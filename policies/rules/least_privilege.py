"""IAM that stays within the shared tables, their indexes and the path to connections."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from policies import wire
from policies.kinds import (
    ATTACHMENT,
    FUNCTION,
    GROUP_POLICY,
    INLINE_POLICY,
    POLICY,
    ROLE,
    ROLE_POLICY,
    USER_POLICY,
)
from policies.model import Deferred, Finding, Resource
from policies.patterns import has_wildcard, overlap
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings
from policies.shared_platform import SharedPlatform
from policies.values import UNKNOWN, Props, Unknown, Value, as_list

_ROW_ACTIONS: Final = frozenset(
    {
        "dynamodb:getitem",
        "dynamodb:batchgetitem",
        "dynamodb:query",
        "dynamodb:scan",
        "dynamodb:putitem",
        "dynamodb:updateitem",
        "dynamodb:deleteitem",
        "dynamodb:batchwriteitem",
        "dynamodb:conditioncheckitem",
        "dynamodb:describetable",
    }
)
"""What a guest may do with a shared table."""

# Actions that concern no particular table; IAM wants `*` for them.
_ACCOUNT_ACTIONS: Final = frozenset(
    {"dynamodb:listtables", "dynamodb:liststreams", "dynamodb:describelimits"}
)
_WIDE_MANAGED_POLICIES: Final = (
    "AdministratorAccess",
    "PowerUserAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonDynamoDBFullAccess_v2",
    "AmazonDynamoDBReadOnlyAccess",
    "AmazonAPIGatewayAdministrator",
    "AmazonAPIGatewayInvokeFullAccess",
)
_METHODS: Final = ("POST", "GET", "DELETE")


@dataclass(frozen=True)
class _Grant:
    """One action on one resource, as a statement allows it."""

    action: str
    resource: str


def check(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse statements that reach the shared platform and ask for more than a guest may have."""
    for arn in _managed_policies(resource):
        if isinstance(arn, str) and arn.rpartition("/")[2] in _WIDE_MANAGED_POLICIES:
            problem = f"{arn} reaches every table and API of the account"
            yield Finding(resource=resource, problem=problem)
    for document in _documents(resource):
        yield from _check_document(resource, document, settings.platform)


def _managed_policies(resource: Resource) -> Iterator[str | Unknown]:
    props = resource.props
    if resource.kind == FUNCTION:
        yield from props.texts("policies")
    else:
        yield from (*props.texts("managedPolicyArns"), *props.texts("policyArn"))


def _documents(resource: Resource) -> Iterator[Value]:
    props = resource.props
    if resource.kind == ATTACHMENT:
        return
    if resource.kind == FUNCTION:
        # SAM makes a role of what its functions list: names, documents and templates of its own.
        for entry in as_list(props.get("policies")):
            if isinstance(entry, dict) and "statement" in Props(entry):
                yield entry
        return
    if resource.kind != ROLE:
        for name in ("policy", "policyDocument"):
            if name in props:
                yield props.get(name)
        return
    for name in ("inlinePolicies", "inlinePolicy", "policies"):
        for entry in props.blocks(name):
            for inner in ("policy", "policyDocument"):
                if inner in entry:
                    yield entry.get(inner)


def _check_document(
    resource: Resource, document: Value, platform: SharedPlatform
) -> Iterator[Outcome]:
    if document is UNKNOWN:
        yield Deferred(resource=resource, reason="its policy document is not known yet")
        return
    if isinstance(document, str):
        try:
            document = wire.from_json(json.loads(document))
        except (ValueError, RecursionError):
            yield Finding(resource=resource, problem="its policy document cannot be read")
            return
    if not isinstance(document, dict):
        yield Finding(resource=resource, problem="its policy document cannot be read")
        return
    said: set[str] = set()
    for statement in Props(document).blocks("statement"):
        for problem in _problems(statement, platform):
            if problem not in said:
                said.add(problem)
                yield Finding(resource=resource, problem=problem)


def _problems(statement: Props, platform: SharedPlatform) -> Iterator[str]:
    if not statement.known:
        yield "a statement of its policy document cannot be read"
        return
    effect = statement.text("effect")
    if isinstance(effect, str) and effect.casefold() == "deny":
        return
    for grant in _grants(statement):
        problem = _problem(grant, platform)
        if problem:
            yield f"it allows {grant.action} on {grant.resource}: {problem}"


def _grants(statement: Props) -> Iterator[_Grant]:
    # Whatever is excluded, everything else is allowed.
    actions = ["*"] if "notAction" in statement else statement.texts("action")
    resources = ["*"] if "notResource" in statement else statement.texts("resource")
    for action in actions:
        for target in resources:
            # An ARN that is not known yet is that of something the program itself creates.
            if not isinstance(target, Unknown):
                name = "*" if isinstance(action, Unknown) else action
                yield _Grant(action=name, resource=_without_variables(target))


def _without_variables(target: str) -> str:
    """Replace policy variables, which stand for any text, by a wildcard."""
    while "${" in target:
        before, _, rest = target.partition("${")
        target = f"{before}*{rest.partition('}')[2]}"
    return target


def _problem(grant: _Grant, platform: SharedPlatform) -> str | None:
    for judge in (_table_problem, _connections_problem, _management_problem):
        problem = judge(grant, platform)
        if problem:
            return problem
    return None


def _covers(granted: str, service: str, name: str) -> bool:
    """Say whether an ARN with wildcards covers a resource of a service, wherever that is."""
    parts = granted.split(":", 5)
    if len(parts) < 6:
        return overlap(granted, f"arn:*:{service}:*:*:{name}")
    return overlap(parts[2], service) and overlap(parts[5], name)


def _table_problem(grant: _Grant, platform: SharedPlatform) -> str | None:
    action = grant.action.casefold()
    if not overlap(action, "dynamodb:*") or action in _ACCOUNT_ACTIONS:
        return None
    reached = [
        pattern
        for pattern in platform.tables
        if _covers(grant.resource, "dynamodb", f"table/{pattern.text}")
    ]
    if not reached:
        return None
    table, _, below = grant.resource.partition(":table/")[2].partition("/")
    if not table or has_wildcard(table):
        return "the resource covers the shared tables; name each table"
    if below and not (below.startswith("index/") and below.count("/") == 1):
        return "a guest reads a shared table and its indexes, not its stream or backups"
    if action not in _ROW_ACTIONS:
        return "a guest reads and writes rows of a shared table, and nothing else"
    return None


def _connections_problem(grant: _Grant, platform: SharedPlatform) -> str | None:
    action = grant.action.casefold()
    if not overlap(action, "execute-api:*"):
        return None
    if grant.resource == "*":
        return "it reaches the shared API; name the API, the stage and @connections"
    if not _covers(grant.resource, "execute-api", "*"):
        return None
    path = grant.resource.split(":", 5)[-1].split("/")
    api = path[0]
    if not has_wildcard(api) and api not in platform.api_ids:
        posts = overlap(action, "execute-api:manageconnections")
        if posts and platform.own_api_ids:
            return "it posts to an API that is not the shared one"
        return None
    connections = (
        len(path) == 5
        and not has_wildcard("/".join(path[:4]))
        and path[2] in _METHODS
        and path[3] == "@connections"
    )
    if action == "execute-api:manageconnections" and connections:
        return None
    return (
        "on the shared API only <stage>/POST/@connections/* is a guest's, without wildcards before"
    )


def _management_problem(grant: _Grant, platform: SharedPlatform) -> str | None:
    action = grant.action.casefold()
    if not overlap(action, "apigateway:*") or action == "apigateway:get":
        return None
    targets = ["/apis", *(f"/apis/{api}*" for api in sorted(platform.api_ids))]
    if any(_covers(grant.resource, "apigateway", target) for target in targets):
        return "it can create APIs or change the shared one"
    return None


RULE = Rule(
    name="iam-stays-within-shared-platform",
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="No role reaches further into the shared platform than a guest needs.",
    why=(
        "The tables and the API hold every application's connections: a wildcard there lets one "
        "application's bug read, write or disconnect all of them."
    ),
    fix=(
        "allow row actions on each table's ARN and its index/*, and "
        "execute-api:ManageConnections on <executionArn>/<stage>/POST/@connections/*."
    ),
    link="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html",
    kinds=frozenset(
        {
            ROLE,
            POLICY,
            INLINE_POLICY,
            ROLE_POLICY,
            USER_POLICY,
            GROUP_POLICY,
            ATTACHMENT,
            FUNCTION,
        }
    ),
    check=check,
)
