"""Patterns of names with `*` and `?`, as exemptions and settings use them."""

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Pattern:
    """A name with wildcards: `*` is any text, `?` one character, the rest is itself."""

    text: str

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        parts = (
            ".*" if part == "*" else "." if part == "?" else re.escape(part)
            for part in re.split(r"([*?])", self.text)
        )
        return re.compile("".join(parts), re.DOTALL)

    def matches(self, name: str) -> bool:
        """Say whether the pattern covers the whole name, casing included."""
        return bool(name) and self._expression.fullmatch(name) is not None

    def matches_folded(self, name: str) -> bool:
        """Say whether the pattern covers the whole name in any casing."""
        return bool(name) and (
            re.fullmatch(self._expression.pattern, name, re.DOTALL | re.IGNORECASE) is not None
        )

    @cached_property
    def literal_length(self) -> int:
        """How many letters and digits the pattern pins down."""
        return sum(character.isalnum() for character in self.text)


def any_matches(patterns: "tuple[Pattern, ...]", name: str) -> bool:
    """Say whether one of several patterns covers the name."""
    return any(pattern.matches(name) for pattern in patterns)


def overlap(one: str, other: str) -> bool:
    """Say whether some text is covered by both of two texts with wildcards."""
    seen: set[tuple[int, int]] = set()
    pending = [_past_equal_letters(one, other)]
    while pending:
        at = pending.pop()
        if at in seen:
            continue
        seen.add(at)
        i, j = at
        left, right = one[i : i + 1], other[j : j + 1]
        if one[i:] == "*" or other[j:] == "*" or not (left or right):
            return True
        if left == "*":
            pending.append((i + 1, j))
            if right:
                pending.append((i, j + 1))
        if right == "*":
            pending.append((i, j + 1))
            if left:
                pending.append((i + 1, j))
        literal = left and right and "*" not in {left, right}
        if literal and (left == right or "?" in {left, right}):
            pending.append((i + 1, j + 1))
    return False


def _past_equal_letters(one: str, other: str) -> tuple[int, int]:
    """Where two patterns first differ or one has a `*`: up to there, only one road leads."""
    at = 0
    for left, right in zip(one, other, strict=False):
        if left != right or left == "*":
            break
        at += 1
    return at, at


def has_wildcard(text: str) -> bool:
    """Say whether a text stands for more than itself."""
    return "*" in text or "?" in text
