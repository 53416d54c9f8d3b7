"""The settings that rules run with: the shared platform, the exemptions, their own options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policies.exemptions import Exemptions
from policies.patterns import Pattern
from policies.shared_platform import SharedPlatform


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a rule may know besides the resource."""

    platform: SharedPlatform = field(default_factory=SharedPlatform)
    exemptions: Exemptions = field(default_factory=lambda: Exemptions(file=None))
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Rule name -> its configured options."""

    def allowed(self, rule: str) -> tuple[Pattern, ...]:
        """Return the names that a rule's allow-list lets through."""
        return tuple(Pattern(text) for text in self.options.get(rule, {}).get("allow", ()))

    def flag(self, rule: str, name: str) -> bool:
        """Return a switch of a rule; off where it is not configured."""
        return bool(self.options.get(rule, {}).get(name, False))
