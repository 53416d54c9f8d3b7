"""What is deployed in the account and may name an API or a table, read once. Reads only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.errors import code_of
from ops.migrate.journal import PREFIX
from ops.migrate.retired import named_in

Clients = Callable[[str], Any]
"""Gives an AWS client of a service."""

_AT_ONCE: Final = 10
"""Parameters that one call gives."""
_FORBIDDEN: Final = re.compile("AccessDenied|Unauthorized|Forbidden")


@dataclass(frozen=True, kw_only=True)
class Text:
    """Something deployed, and where it stands."""

    holder: str
    """As `the Lambda order-receiver-handler`."""
    part: str
    """As `its environment`."""
    physical: str
    """The id by which CloudFormation knows what holds the text."""
    text: str


@dataclass(kw_only=True)
class Survey:
    """What was read, and what could not be."""

    texts: list[Text] = field(default_factory=list[Text])
    functions: list[str] = field(default_factory=list[str])
    alarms: list[str] = field(default_factory=list[str])
    exports: dict[str, str] = field(default_factory=dict[str, str])
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    """The Parameter Store's plain texts, by name."""
    unread: list[str] = field(default_factory=list[str])
    """What this operator may not read."""

    def naming(self, names: Iterable[str], *, but: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Sentences on everything that names one of these, save what `but` holds."""
        wanted = frozenset(names)
        return tuple(
            f"{text.holder} names {name} in {text.part}"
            for text in self.texts
            if text.physical not in but
            for name in named_in(text.text, wanted)
        )


def survey(clients: Clients, progress: Callable[[int, int], None]) -> Survey:
    """Read Lambdas, roles, alarms, exports and parameters; `progress` gets Lambdas of Lambdas."""
    result = Survey()
    looks: tuple[tuple[str, Callable[[], Iterable[Text]]], ...] = (
        ("the Lambdas' environments", lambda: _environments(clients("lambda"), result)),
        ("the Lambdas' permissions", lambda: _permissions(clients("lambda"), result, progress)),
        ("the roles' policies", lambda: _policies(clients("iam"))),
        ("the alarms", lambda: _alarms(clients("cloudwatch"), result)),
        ("the stacks' exports", lambda: _exports(clients("cloudformation"), result)),
        ("the Parameter Store", lambda: _parameters(clients("ssm"), result)),
    )
    for what, look in looks:
        with_access(what, lambda look=look: result.texts.extend(look()), result.unread)
    return result


def with_access(what: str, look: Callable[[], None], unread: list[str]) -> None:
    """Look at something; note where this operator may not."""
    try:
        look()
    except ClientError as error:
        if not _FORBIDDEN.search(code_of(error)):
            raise
        unread.append(f"{what} ({error.operation_name}: {code_of(error)})")


def _environments(client: Any, result: Survey) -> Iterator[Text]:
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            result.functions.append(name)
            variables = function.get("Environment", {}).get("Variables", {})
            for variable, value in variables.items():
                yield Text(
                    holder=f"the Lambda {name}",
                    part=f"its environment's {variable}",
                    physical=name,
                    text=str(value),
                )


def _permissions(
    client: Any, result: Survey, progress: Callable[[int, int], None]
) -> Iterator[Text]:
    for number, name in enumerate(result.functions, 1):
        progress(number, len(result.functions))
        try:
            policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                continue  # nobody but its owner may call it
            raise
        for statement in policy.get("Statement", ()):
            yield Text(
                holder=f"the Lambda {name}",
                part=f"its permission {statement.get('Sid', 'without a Sid')}",
                physical=str(statement.get("Sid", "")),
                text=json.dumps(statement),
            )


def _policies(client: Any) -> Iterator[Text]:
    pages = client.get_paginator("get_account_authorization_details")
    for page in pages.paginate(Filter=["Role", "LocalManagedPolicy"]):
        for role in page["RoleDetailList"]:
            for policy in role.get("RolePolicyList", ()):
                yield Text(
                    holder=f"the role {role['RoleName']}",
                    part=f"its policy {policy['PolicyName']}",
                    physical=role["RoleName"],
                    text=json.dumps(policy["PolicyDocument"]),
                )
        for policy in page["Policies"]:
            for version in policy.get("PolicyVersionList", ()):
                if version.get("IsDefaultVersion"):
                    yield Text(
                        holder=f"the policy {policy['PolicyName']}",
                        part="its statements",
                        physical=policy["Arn"],
                        text=json.dumps(version["Document"]),
                    )


def _alarms(client: Any, result: Survey) -> Iterator[Text]:
    for page in client.get_paginator("describe_alarms").paginate():
        for alarm in page["MetricAlarms"]:
            name = alarm["AlarmName"]
            result.alarms.append(name)
            watched = [alarm.get("Dimensions", []), alarm.get("Metrics", [])]
            yield Text(
                holder=f"the alarm {name}",
                part="what it watches",
                physical=name,
                text=json.dumps(watched),
            )


def _exports(client: Any, result: Survey) -> Iterator[Text]:
    for page in client.get_paginator("list_exports").paginate():
        for export in page["Exports"]:
            result.exports[export["Name"]] = export["Value"]
            yield Text(
                holder=f"the export {export['Name']}",
                part="its value",
                physical=str(export["ExportingStackId"]).split("/")[1],
                text=export["Value"],
            )


def _parameters(client: Any, result: Survey) -> Iterator[Text]:
    names = [
        parameter["Name"]
        for page in client.get_paginator("describe_parameters").paginate()
        for parameter in page["Parameters"]
        if parameter["Type"] != "SecureString" and not parameter["Name"].startswith(PREFIX)
    ]
    for start in range(0, len(names), _AT_ONCE):
        found = client.get_parameters(Names=names[start : start + _AT_ONCE])["Parameters"]
        for parameter in found:
            result.parameters[parameter["Name"]] = parameter["Value"]
            yield Text(
                holder=f"the parameter {parameter['Name']}",
                part="its value",
                physical=parameter["Name"],
                text=parameter["Value"],
            )
