"""Reads typed values out of a stack's configuration, and remembers what is wrong with them."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeGuard

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from components.refusal import Problem

PLACEHOLDER: Final = "FILL-IN"
"""What the template of a stack says where a value is still to come."""

Json = object


def _is_list(value: Json) -> TypeGuard[list[Json]]:
    return isinstance(value, list)


def _is_object(value: Json) -> TypeGuard[dict[str, Json]]:
    return isinstance(value, dict)


class ConfigurationReader:
    """The keys of one namespace; every reading method returns, also where it found a problem."""

    def __init__(self, config: pulumi.Config) -> None:
        self._config = config
        self._known: list[str] = []
        self.problems: list[Problem] = []

    # --- Findings ---------------------------------------------------------------------------------

    def refuse(self, key: str, finding: str, remedy: str) -> None:
        """Remember a problem of a key."""
        subject = self._config.full_key(key)
        self.problems.append(Problem(subject=subject, finding=finding, remedy=remedy))

    def refuse_once(self, key: str, finding: str, remedy: str) -> None:
        """Remember a problem, unless something else is wrong with the key already."""
        subject = self._config.full_key(key)
        if not any(problem.subject.startswith(subject) for problem in self.problems):
            self.refuse(key, finding, remedy)

    def mistyped(self, key: str, value: Json, expected: str) -> None:
        """Remember that a value is not what the key takes; a secret's value is not repeated."""
        root = re.split(r"[\[.]", key, maxsplit=1)[0]
        secret = is_config_secret(self._config.full_key(root))
        shown = "its value (a secret)" if secret else repr(value)
        self.refuse(key, f"{shown} is not {expected}", f"set it to {expected}")

    @staticmethod
    def suggestion(word: str, words: Sequence[str]) -> str:
        """` (did you mean 'x'?)`, where one of the words is close."""
        close = difflib.get_close_matches(word, words, n=1)
        return f" (did you mean {close[0]!r}?)" if close else ""

    def refuse_unknown_keys(self) -> None:
        """Find misspelt keys: whatever stands in our namespace and was never asked for."""
        prefix = f"{self._config.name}:"
        present = set(CONFIG.get()) | set(get_config_env())
        for full_key in sorted(present):
            key = full_key.removeprefix(prefix)
            if full_key.startswith(prefix) and key not in self._known:
                self.refuse(
                    key,
                    f"is not a key of this program{self.suggestion(key, self._known)}",
                    "correct or remove it (the keys stand in Pulumi.yaml)",
                )

    # --- Values -----------------------------------------------------------------------------------

    def _get(self, key: str) -> str | None:
        """The text of a key; None where it is unset, empty or still a placeholder."""
        self._known.append(key)
        value = self._config.get(key)
        if value is None or not value.strip():
            return None
        if PLACEHOLDER in value:
            self.refuse(
                key, f"is still a placeholder: {value}", "replace it with the value of this stack"
            )
            return None
        return value

    def text(self, key: str, *, default: str = "", pattern: str = "") -> str:
        """An optional text."""
        value = self._get(key)
        if value is None:
            return default
        if pattern and not re.fullmatch(pattern, value):
            self.mistyped(key, value, f"of the form {pattern}")
        return value

    def required_text(self, key: str, *, example: str) -> str:
        """A text that has no sensible default."""
        before = len(self.problems)
        value = self.text(key)
        if not value and len(self.problems) == before:
            self.refuse(
                key,
                "is missing",
                f"set it: pulumi config set {key} VALUE (for example {example})",
            )
        return value

    def choice(self, key: str, choices: Sequence[str], *, default: str) -> str:
        """One of a few words."""
        value = self._get(key)
        if value is None:
            return default
        if value not in choices:
            self.mistyped(key, value, f"one of {', '.join(choices)}")
        return value

    def number(self, key: str, *, default: int) -> int:
        """A whole number."""
        value = self._get(key)
        if value is None:
            return default
        if not re.fullmatch(r"-?\d+", value):
            self.mistyped(key, value, "a whole number")
            return default
        return int(value)

    def texts(self, key: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of texts."""
        value = self._json(key, default=list(default))
        if not _is_list(value) or not all(isinstance(item, str) for item in value):
            self.mistyped(key, value, "a list of texts")
            return default
        return tuple(str(item) for item in value)

    def numbers(self, key: str) -> dict[str, int]:
        """An object of whole numbers."""
        value = self._json(key, default={})
        if not _is_object(value) or not all(type(item) is int for item in value.values()):
            self.mistyped(key, value, "an object whose values are whole numbers")
            return {}
        return {name: item for name, item in value.items() if isinstance(item, int)}

    def objects(self, key: str, *, allowed: tuple[str, ...]) -> Iterator[ConfigurationEntry]:
        """A list of objects, each to be read on its own."""
        value = self._json(key, default=[])
        if not _is_list(value):
            self.mistyped(key, value, f"a list of objects with {', '.join(allowed)}")
            return
        for index, item in enumerate(value):
            if _is_object(item):
                yield ConfigurationEntry(self, f"{key}[{index}]", item, allowed)
            else:
                self.mistyped(f"{key}[{index}]", item, f"an object with {', '.join(allowed)}")

    def region(self) -> str:
        """The provider's Region, from where the provider itself takes it."""
        region = pulumi.Config("aws").get("region") or os.environ.get("AWS_REGION")
        region = region or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            self.problems.append(
                Problem(
                    subject="aws:region",
                    finding="is missing",
                    remedy="set it: pulumi config set aws:region us-east-1",
                )
            )
        return region or ""

    def _json(self, key: str, *, default: Json) -> Json:
        value = self._get(key)
        if value is None:
            return default
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value


class ConfigurationEntry:
    """One object of a list of objects."""

    def __init__(
        self,
        reader: ConfigurationReader,
        path: str,
        values: Mapping[str, Json],
        allowed: tuple[str, ...],
    ) -> None:
        self._reader = reader
        self._path = path
        self._values = values
        for name in values:
            if name not in allowed:
                reader.refuse(
                    f"{path}.{name}",
                    f"is not known here{reader.suggestion(name, allowed)}",
                    f"its keys are {', '.join(allowed)}",
                )

    def text(self, name: str, *, pattern: str = "") -> str:
        """An optional text."""
        value = self._values.get(name, "")
        if not isinstance(value, str):
            self._reader.mistyped(f"{self._path}.{name}", value, "a text")
            return ""
        if value and pattern and not re.fullmatch(pattern, value):
            self._reader.mistyped(f"{self._path}.{name}", value, f"of the form {pattern}")
        return value

    def required_text(self, name: str, *, pattern: str = "") -> str:
        """A text that must be there."""
        if not self._values.get(name):
            self._reader.refuse(f"{self._path}.{name}", "is missing", "add it to this entry")
            return ""
        return self.text(name, pattern=pattern)

    def required_texts(self, name: str) -> tuple[str, ...]:
        """A list of at least one text."""
        value = self._values.get(name)
        if not _is_list(value) or not value or not all(isinstance(item, str) for item in value):
            self._reader.mistyped(f"{self._path}.{name}", value, "a list of at least one text")
            return ()
        return tuple(str(item) for item in value)

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of a few words, which must be there."""
        value = self._values.get(name)
        if not isinstance(value, str) or value not in choices:
            expected = f"one of {', '.join(choices)}"
            self._reader.mistyped(f"{self._path}.{name}", value, expected)
            return ""
        return value
