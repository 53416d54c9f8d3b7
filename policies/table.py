"""The table of rules: whatever stands here is the pack."""

from typing import Final

from policies.rule import Rule
from policies.rules import standalone_api

RULES: Final[tuple[Rule, ...]] = (standalone_api.RULE,)
