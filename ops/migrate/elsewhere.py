"""Values that a template takes from elsewhere, and that may name what goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from ops.migrate.retired import named_in
from ops.migrate.survey import Survey
from ops.migrate.template import sub_text, walk

_SSM: Final = re.compile(r"\{\{resolve:ssm:(?P<name>[^:}]+)(:\d+)?\}\}")


def indirect(
    template: Mapping[str, Any], given: Mapping[str, str], found: Survey, names: frozenset[str]
) -> Iterator[str]:
    """Where the template takes a value from elsewhere that names one of these.

    That is a parameter's value (`given`), an import from another stack, and `{{resolve:ssm:...}}`.
    """
    for name in template.get("Parameters", {}):
        for said in named_in(given.get(name, ""), names):
            yield f"Parameters.{name} has a value that names {said}"
    for path, value in walk(template):
        where = ".".join(str(part) for part in path)
        if isinstance(value, str):
            for reference in _SSM.finditer(value):
                stored = found.parameters.get(reference["name"], "")
                for said in named_in(stored, names):
                    yield f"{where} takes the parameter {reference['name']}, which names {said}"
        elif isinstance(value, dict) and "Fn::ImportValue" in value:
            export = spelled(cast("dict[str, Any]", value)["Fn::ImportValue"], given)
            for said in named_in(found.exports.get(export, ""), names):
                yield f"{where} imports {export}, which names {said}"


def spelled(value: Any, parameters: Mapping[str, str]) -> str:
    """A name that a template makes of its parameters; empty where it is made of more."""
    text = sub_text(value) or ""
    for name, given in parameters.items():
        text = text.replace(f"${{{name}}}", given)
    return text
