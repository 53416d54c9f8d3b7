"""No table of connections or subscriptions beside the shared ones."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from policies.kinds import GLOBAL_TABLE, TABLE
from policies.model import Deferred, Finding, Resource
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings
from policies.shared_platform import CONNECTION_INDEXES, CONNECTION_KEY
from policies.values import Props, Unknown, fold

_TELLING_NAME: Final = re.compile(
    r"(web[-_]?sockets?|\bwss?)[-_]?(api[-_]?)?(connections?|subscriptions?)"
    r"|(connections?|subscriptions?)[-_]?(web[-_]?socket|wss?\b)",
    re.IGNORECASE,
)
_INDEXES: Final = frozenset(fold(name) for name in CONNECTION_INDEXES)


def check(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse a table by its name, by its key, or by an index that only the shared tables need."""
    for name in _names(resource):
        shared = any(pattern.matches_folded(name) for pattern in settings.platform.tables)
        if shared or _TELLING_NAME.search(name):
            problem = f'its name "{name}" is that of a table of connections or subscriptions'
            yield Finding(resource=resource, problem=problem)
            return
    key = _partition_key(resource.props)
    if isinstance(key, str) and fold(key) == fold(CONNECTION_KEY):
        yield Finding(resource=resource, problem=f'its key "{key}" makes it a table of connections')
        return
    for index in _indexes(resource.props):
        if fold(index) in _INDEXES:
            problem = f'its index "{index}" is that of a shared table'
            yield Finding(resource=resource, problem=problem)
            return
    if isinstance(key, Unknown):
        yield Deferred(resource=resource, reason="its key is not known yet")


def _names(resource: Resource) -> Iterator[str]:
    named = False
    for property_name in ("name", "tableName"):
        name = resource.props.text(property_name)
        if isinstance(name, str):
            named = True
            yield name
    if not named:
        # Without a name of its own a table gets one from the resource's name.
        yield resource.inside[-1] if resource.inside else resource.name


def _partition_key(props: Props) -> str | Unknown | None:
    if not props.known:
        return props.text("hashKey")
    if "hashKey" in props:
        return props.text("hashKey")
    for element in props.blocks("keySchema"):
        key_type = element.text("keyType")
        if isinstance(key_type, Unknown):
            return key_type
        if key_type is not None and key_type.casefold() == "hash":
            return element.text("attributeName")
    return None


def _indexes(props: Props) -> Iterator[str]:
    for block_name in ("globalSecondaryIndexes", "globalSecondaryIndex"):
        for index in props.blocks(block_name):
            for name in (index.text("name"), index.text("indexName")):
                if isinstance(name, str):
                    yield name


RULE = Rule(
    name="no-own-connection-tables",
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="No application keeps a table of connections or subscriptions of its own.",
    why=(
        "Whoever fans out reads the shared tables: a connection that stands in another table "
        "receives nothing, and nobody sweeps it."
    ),
    fix=(
        "read and write WizzUser_websocket_connections_<stage> and "
        "WizzUser_websocket_subscriptions_<stage> (look them up with aws.dynamodb.get_table)."
    ),
    link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html",
    kinds=frozenset({TABLE, GLOBAL_TABLE}),
    check=check,
)
