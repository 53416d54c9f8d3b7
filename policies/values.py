"""Property values as rules read them: plain, with unknowns marked and names free of their casing.

One resource comes in many spellings (`protocolType`, `ProtocolType`, `protocol_type`), with
secrets, unknowns, one-element lists around a block, and numbers as strings. A rule asks for a name
and gets the value, whatever the spelling; what cannot be decided is `UNKNOWN`, no exception.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


class Unknown(Enum):
    """The type of a value that is not there to be read."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "(not known yet)"


UNKNOWN: Final = Unknown.UNKNOWN
"""Not known yet (preview), encrypted, computed by a template function, or contradictory."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, a text or an archive that a property carries; no rule looks inside."""

    source: str


Value: TypeAlias = (
    "bool | int | float | str | Unknown | Asset | list[Value] | dict[str, Value] | None"
)

Text: TypeAlias = str | Unknown | None

_folded: dict[str, str] = {}
_FOLDED_LIMIT: Final = 10_000


def fold(name: str) -> str:
    """`protocolType`, `ProtocolType` and `protocol_type` are one name: `protocoltype`."""
    found = _folded.get(name)
    if found is None:
        found = name.replace("_", "").replace("-", "").casefold()
        if len(_folded) < _FOLDED_LIMIT:
            _folded[name] = found
    return found


class Props:
    """A block of properties; names are asked for in any spelling.

    A block that is itself unknown answers `UNKNOWN` to every name. Two spellings of one name with
    different values contradict each other: that is `UNKNOWN` as well.
    """

    __slots__ = ("_index", "known", "raw")

    def __init__(self, raw: Mapping[str, Value], *, known: bool = True) -> None:
        self.raw = raw
        self.known = known
        self._index: dict[str, Value] | None = None

    def _folded_index(self) -> dict[str, Value]:
        index: dict[str, Value] = {}
        for key, value in self.raw.items():
            name = fold(key)
            index[name] = UNKNOWN if name in index and index[name] != value else value
        self._index = index
        return index

    def get(self, name: str) -> Value:
        """Return the value under a name; `None` where there is none."""
        if not self.known:
            return UNKNOWN
        index = self._index
        if index is None:
            index = self._folded_index()
        return index.get(fold(name))

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def text(self, name: str) -> Text:
        """Return a scalar as text: numbers spelled out, one-element lists unwrapped."""
        return as_text(self.get(name))

    def block(self, name: str) -> "Props":
        """Return the block under a name; an absent one is empty, an unreadable one is unknown."""
        return as_block(self.get(name))

    def blocks(self, name: str) -> "list[Props]":
        """Return the blocks under a name, where there may be several."""
        return [as_block(value) for value in as_list(self.get(name))]

    def texts(self, name: str) -> list[str | Unknown]:
        """Return the scalars under a name, where there may be several."""
        found = (as_text(value) for value in as_list(self.get(name)))
        return [text for text in found if text is not None]

    def __bool__(self) -> bool:
        return not self.known or bool(self.raw)


NO_PROPS: Final = Props({})
UNKNOWN_PROPS: Final = Props({}, known=False)


def as_text(value: Value) -> Text:
    """Return a scalar as text; a structure where a scalar belongs cannot be read: `UNKNOWN`."""
    if isinstance(value, str):
        return value.strip()
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if value == value // 1 else str(value)
    if isinstance(value, list) and len(value) == 1:
        return as_text(value[0])
    return UNKNOWN


def as_list(value: Value) -> list[Value]:
    """Return the elements of a list; a single value counts as a list of itself."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_block(value: Value) -> Props:
    """Return a mapping as a block; a list of one mapping is that mapping."""
    if isinstance(value, dict):
        return Props(value)
    if value is None or value == []:
        return NO_PROPS
    if isinstance(value, list) and len(value) == 1:
        return as_block(value[0])
    return UNKNOWN_PROPS


def as_number(value: Value) -> float | Unknown | None:
    """Return a number, also where it is spelled as a string."""
    text = as_text(value)
    if text is None or isinstance(text, Unknown):
        return text
    try:
        return float(text)
    except ValueError:
        return UNKNOWN


def is_literally(value: Value, *expected: str) -> bool:
    """Say whether a value is certainly one of the expected words, in any casing."""
    text = as_text(value)
    return isinstance(text, str) and text.casefold() in {word.casefold() for word in expected}


def walk(value: Value) -> Iterator[Value]:
    """Yield every scalar of a tree, and unknown branches."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif value is not None:
            yield value
