"""The table of types against the type information of the SDK that programs are written with."""

import importlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest
from pulumi import _types

from sandbox.aws.lookups import LOOKUPS
from sandbox.aws.schema import Kind, Property
from sandbox.aws.types import TYPES
from tests.sandbox.aws.driver import CheckFailedError, Driver

ROOT = Path(__file__).resolve().parents[3]

each_token = pytest.mark.parametrize("token", TYPES)


def sdk_class(token: str, suffix: str = "") -> type:
    _, module, name = token.split(":")
    module = module.split("/")[0]
    package = importlib.import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}")
    return getattr(package, name + suffix)


def inputs_of(token: str) -> Mapping[str, Any]:
    """The SDK's inputs of a type, by the names that go over the wire."""
    return wire_types(sdk_class(token, "Args"))


def wire_types(args: type) -> Mapping[str, Any]:
    names = _types.input_type_py_to_pulumi_names(args)
    return {names.get(name, name): kind for name, kind in _types.input_type_types(args).items()}


def snake(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)


def nested(kind: Any) -> type | None:
    """The SDK's class of an object, or of a list's objects, within a type annotation."""
    if isinstance(kind, type) and _types.is_input_type(kind):
        return kind
    return next((found for each in get_args(kind) if (found := nested(each))), None)


def unlike(known: Mapping[str, Property], args: type, at: str) -> list[str]:
    """Fields of the table's objects that the SDK does not have, at any depth."""
    types = wire_types(args)
    found = [f"{at}.{name}" for name in known if name not in types]
    for name, each in known.items():
        fields = each.item.fields if each.item else each.fields
        inner = nested(types.get(name))
        if fields and inner:
            found += unlike(fields, inner, f"{at}.{name}")
    return found


@each_token
def test_the_table_spells_types_as_the_sdk_does(token):
    assert sdk_class(token).pulumi_type == token


@each_token
def test_every_output_of_the_sdk_is_told(token):
    sdk = set(_types.resource_py_to_pulumi_names(sdk_class(token)).values())
    outputs = sdk - set(inputs_of(token))
    table = {name for name, known in TYPES[token].properties.items() if known.output}

    assert outputs <= table, outputs - table
    assert table <= sdk, table - sdk


@each_token
def test_every_input_of_the_table_is_one_of_the_sdk(token):
    table = {name for name, known in TYPES[token].properties.items() if not known.output}

    assert table <= set(inputs_of(token)), table - set(inputs_of(token))


@each_token
def test_objects_of_the_table_have_the_sdks_fields(token):
    types = inputs_of(token)
    wrong: list[str] = []
    for name, known in TYPES[token].properties.items():
        fields = known.item.fields if known.item else known.fields
        inner = nested(types.get(name))
        if fields and inner:
            wrong += unlike(fields, inner, name)

    assert not wrong


@each_token
def test_what_the_sdk_requires_the_table_requires(token):
    args = sdk_class(token, "Args")
    names = _types.input_type_py_to_pulumi_names(args)
    parameters = inspect.signature(args).parameters.values()
    needed = {names.get(each.name, each.name) for each in parameters if each.default is each.empty}

    assert needed == {name for name, known in TYPES[token].properties.items() if known.required}


@each_token
def test_every_property_that_the_table_lacks_is_refused_by_name(token, offline: Driver):
    lacking = [name for name in inputs_of(token) if name not in TYPES[token].properties]

    with pytest.raises(CheckFailedError) as refused:
        offline.check(token, "it", dict.fromkeys([*lacking, "noSuchProperty"], "x"))

    for name in [*lacking, "noSuchProperty"]:
        assert name in refused.value.failures[name]


@each_token
def test_an_object_refuses_the_fields_that_it_lacks_by_their_path(token, offline: Driver):
    for name, known in TYPES[token].properties.items():
        fields, listed = (known.item.fields, True) if known.item else (known.fields, False)
        if known.output or not fields:
            continue
        value: Any = {"noSuchField": "x"}

        with pytest.raises(CheckFailedError) as refused:
            offline.check(token, "it", {name: [value] if listed else value})

        path = f"{name}[0].noSuchField" if listed else f"{name}.noSuchField"
        assert "noSuchField" in refused.value.failures[path]


@each_token
def test_a_wrong_kind_is_refused_with_the_kind_that_was_expected(token, offline: Driver):
    given = {
        name: "text" if known.kind in (Kind.MAP, Kind.LIST, Kind.SET, Kind.OBJECT) else ["list"]
        for name, known in TYPES[token].properties.items()
        if not known.output and known.kind is not Kind.JSON
    }

    with pytest.raises(CheckFailedError) as refused:
        offline.check(token, "it", given)

    for name in given:
        assert refused.value.failures[name].startswith("expected "), name


def test_the_manual_names_every_type_and_look_up():
    chapter = (ROOT / "docs" / "sandbox.md").read_text().partition("## What the provider knows")[2]
    named = set(re.findall(r"`(\w+)`", chapter.partition("| look-ups |")[0]))
    looked_up = set(re.findall(r"`(?:\w+\.)?(get_\w+)`", chapter))

    assert {token.rpartition(":")[2] for token in TYPES} == {n for n in named if n[0].isupper()}
    assert {snake(token.rpartition(":")[2]) for token in LOOKUPS} == looked_up


@pytest.mark.parametrize("token", LOOKUPS)
def test_look_ups_are_spelled_as_the_sdk_does(token, monkeypatch: pytest.MonkeyPatch):
    asked: dict[str, Any] = {}

    def record(tok: str, args: Mapping[str, Any], **_: Any) -> Any:
        asked.update(args, token=tok)
        raise LookupError

    monkeypatch.setattr(pulumi.runtime, "invoke", record)
    module, name = token.split(":")[1].split("/")
    package = importlib.import_module(f"pulumi_aws{'' if module == 'index' else f'.{module}'}")
    arguments = {"api_id": "a"} if name == "getApi" else {}
    if name == "getTable":
        arguments = {"name": "t"}

    with pytest.raises(LookupError):
        getattr(package, snake(name))(**arguments)

    assert asked.pop("token") == token
    assert {*LOOKUPS[token].needs, *LOOKUPS[token].takes} <= set(asked)
