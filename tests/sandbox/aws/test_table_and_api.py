"""The table of types against the APIs' own models, which decide what a call is given."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from sandbox.aws.schema import Property, ResourceType
from sandbox.aws.session import Session
from sandbox.aws.types import TYPES


@cache
def session() -> Session:
    return Session(endpoint="http://127.0.0.1:9", region="us-east-1", default_tags={})


def calls(each: ResourceType) -> set[str]:
    named = {each.create, *each.update}
    own = {call for known in each.properties.values() for call in known.own or ()}
    return named | own | {call for call in (each.read, each.delete) if isinstance(call, str)}


def shape(each: ResourceType, call: str) -> Any:
    return session().api(each.service).shape(call)


def taken(known: Property, within: Any) -> bool:
    """Whether a shape has a place for a property, and for all that may be in it."""
    for step in (known.aws or "").split("."):
        if within.type_name == "list":
            within = within.member
        if within.type_name == "map" or {"KeyType", "AttributeName"} == set(within.members):
            return True
        within = within.members.get(step)
        if within is None:
            return False
    fields = known.item.fields if known.item else known.fields
    inner = within.member if within.type_name == "list" else within
    return all(taken(field, inner) for field in fields.values())


def sent() -> Iterator[Any]:
    for token, each in TYPES.items():
        for known in each.properties.values():
            if known.aws and not known.output:
                yield pytest.param(each, known, id=f"{token}.{known.name}")


@pytest.mark.parametrize(("each", "known"), sent())
def test_what_the_table_sends_has_a_place_in_a_call_that_sets_it(each, known):
    sets = {
        each.create,
        *each.update,
        *(known.own or ()),
    }

    assert any(taken(known, shape(each, call)) for call in sets)


@pytest.mark.parametrize("token", TYPES)
def test_calls_are_ones_that_the_service_has(token):
    service = session().api(TYPES[token].service)

    assert all(service.shape(call) for call in calls(TYPES[token]))


@pytest.mark.parametrize("token", TYPES)
def test_calls_about_a_resource_take_its_key(token):
    each = TYPES[token]
    keyed = calls(each) - {each.create}

    for call in keyed:
        assert each.key.keys() & shape(each, call).members.keys(), call
