"""Exemptions: who may break which rule, why, and until when.

An entry exempts only while it is complete and current; whatever is wrong with one is reported, and
it exempts nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from policies.model import Resource
from policies.patterns import Pattern

FILE: Final = Path(__file__).with_name("exemptions.yaml")
MIN_REASON: Final = 10
"""Characters: "legacy" is no reason."""
MAX_AHEAD: Final = timedelta(days=366)
EXPIRING: Final = timedelta(days=30)
MIN_LITERAL: Final = 3
"""Letters and digits of a resource's name that a pattern must pin down."""
_KEYS: Final = ("rule", "resource", "reason", "owner", "expires")


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One entry of the file, complete and well formed."""

    rule: str
    pattern: Pattern
    reason: str
    owner: str
    expires: date

    def covers(self, rule: str, resource: Resource) -> bool:
        """Say whether it speaks of this rule and resource; one without a name is never meant."""
        return self.rule == rule and (
            self.pattern.matches(resource.name) or self.pattern.matches(resource.urn)
        )

    @property
    def label(self) -> str:
        """How a person would point at it."""
        return f'exemption of "{self.pattern.text}" from {self.rule} ({self.owner})'


class Exemptions:
    """The entries of one file, and which of them were used since the pack was started."""

    def __init__(
        self, rules: Iterable[str] = (), *, file: Path | None = FILE, today: date | None = None
    ) -> None:
        self._rules = frozenset(rules)
        self._file = file
        self._today = today or datetime.now(UTC).date()
        self._used: set[Exemption] = set()

    @cached_property
    def _read(self) -> tuple[tuple[Exemption, ...], tuple[str, ...]]:
        # Read at the first finding: most resources need none, and YAML costs time to import.
        if self._file is None:
            return (), ()
        return _read_file(self._file, self._rules, self._today)

    def find(self, rule: str, resource: Resource) -> Exemption | None:
        """Return the entry that lets this pass, and remember that it was used."""
        for entry in self._read[0]:
            if entry.expires >= self._today and entry.covers(rule, resource):
                self._used.add(entry)
                return entry
        return None

    def expired(self, rule: str, resource: Resource) -> Exemption | None:
        """Return an entry that would have let this pass, had it not expired."""
        for entry in self._read[0]:
            if entry.expires < self._today and entry.covers(rule, resource):
                return entry
        return None

    def report(self) -> Iterable[str]:
        """Yield what is to be said of the file: malformed, expired, expiring, unused, used."""
        entries, problems = self._read
        yield from problems
        for entry in entries:
            if entry.expires < self._today:
                yield f"{entry.label} expired on {entry.expires}; it exempts nothing"
            elif entry not in self._used:
                yield f"{entry.label} is not used; remove it"
            elif entry.expires - self._today <= EXPIRING:
                yield f"{entry.label} is used and expires on {entry.expires}: {entry.reason}"
            else:
                yield f"{entry.label} is used, until {entry.expires}: {entry.reason}"


def _read_file(
    file: Path, rules: frozenset[str], today: date
) -> tuple[tuple[Exemption, ...], tuple[str, ...]]:
    import yaml

    try:
        document: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return (), ()
    except (OSError, ValueError, yaml.YAMLError) as error:
        return (), (
            f"{file.name} cannot be read, so that it exempts nothing: {_first_line(error)}",
        )
    entries = cast("dict[str, Any]", document).get("exemptions") if _is_map(document) else None
    if entries is None or not isinstance(entries, list) or len(document) != 1:
        return (), (f'{file.name} must hold one list, "exemptions"; it exempts nothing',)
    accepted: list[Exemption] = []
    problems: list[str] = []
    for number, entry in enumerate(cast("list[Any]", entries), start=1):
        wrong = _wrong_with(entry, rules, today)
        if wrong:
            listed = "; ".join(wrong)
            problems.append(f"entry {number} of {file.name} exempts nothing: {listed}")
            continue
        accepted.append(_accepted(entry))
    return tuple(accepted), tuple(problems)


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _wrong_with(entry: object, rules: frozenset[str], today: date) -> Sequence[str]:
    if not isinstance(entry, dict):
        return ["it is not a mapping"]
    fields = cast("Mapping[Any, Any]", entry)
    wrong = [f'it has no "{key}"' for key in _KEYS if fields.get(key) in {None, ""}]
    wrong += [f'"{key}" is no key of an exemption' for key in fields if key not in _KEYS]
    if wrong:
        return wrong
    if fields["rule"] not in rules:
        wrong.append(f'there is no rule "{fields["rule"]}"')
    if len(str(fields["reason"]).strip()) < MIN_REASON:
        wrong.append(f"its reason has fewer than {MIN_REASON} characters")
    name = str(fields["resource"]).rpartition("::")[2]
    if not isinstance(fields["resource"], str) or Pattern(name).literal_length < MIN_LITERAL:
        wrong.append(f'"{fields["resource"]}" would exempt everything; name the resource')
    expires = _day(fields["expires"])
    if expires is None:
        wrong.append(f'"{fields["expires"]}" is no date like 2026-12-31')
    elif expires - today > MAX_AHEAD:
        wrong.append(f"it expires on {expires}, more than a year ahead")
    return wrong


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _accepted(entry: Mapping[str, Any]) -> Exemption:
    expires = _day(entry["expires"])
    assert expires is not None
    return Exemption(
        rule=entry["rule"],
        pattern=Pattern(entry["resource"]),
        reason=str(entry["reason"]).strip(),
        owner=str(entry["owner"]).strip(),
        expires=expires,
    )
