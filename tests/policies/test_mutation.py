"""Every condition of every rule matters: flip it, and a case must notice.

Each `if`, conditional expression, comprehension filter and `return` of a condition in a rule's
module is negated, one at a time; the cases of the rules then have to disagree with it.
"""

import ast
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import policies.rules
from policies.rule import Rule
from policies.table import BY_NAME, RULES
from tests.policies.cases import CASES, Case
from tests.policies.judging import said_by
from tests.policies.test_stack_rules import STACK_CASES, said

FOLDER = Path(policies.rules.__file__).parent
# What these modules decide is decided over a file or a process; their own tests flip it by hand.
ELSEWHERE = {"__init__", "pack_order"}
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ELSEWHERE)


def conditions(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where a condition stands: its node, the field, and the index where the field is a list."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp):
            yield node, "test", None
        elif isinstance(node, ast.comprehension):
            for index in range(len(node.ifs)):
                yield node, "ifs", index
        elif isinstance(node, ast.Return) and isinstance(
            node.value, ast.Compare | ast.BoolOp | ast.UnaryOp
        ):
            yield node, "value", None


def flipped(module: str, number: int) -> tuple[str, int]:
    """The module's source with one condition negated, and its line."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    node, field, index = list(conditions(tree))[number]
    original = getattr(node, field) if index is None else getattr(node, field)[index]
    negated = ast.UnaryOp(op=ast.Not(), operand=original)
    if index is None:
        setattr(node, field, negated)
    else:
        getattr(node, field)[index] = negated
    return ast.unparse(ast.fix_missing_locations(tree)), original.lineno


def mutants() -> Iterator[tuple[str, int]]:
    for module in MODULES:
        source = (FOLDER / f"{module}.py").read_text(encoding="utf-8")
        for number in range(len(list(conditions(ast.parse(source))))):
            yield module, number


def loaded(module: str, source: str) -> dict[str, Rule]:
    """The rules of a changed module; modules that import it see the changed one."""
    changed = types.ModuleType(f"policies.rules.{module}")
    changed.__package__ = "policies.rules"
    exec(compile(source, module, "exec"), changed.__dict__)
    return {value.name: value for value in vars(changed).values() if isinstance(value, Rule)}


def notices(case: Case, rules: list[Rule]) -> bool:
    findings, later = said_by(case, rules)
    if bool(findings) != (case.says == "found") or bool(later) != (case.says == "later"):
        return True
    if any(case.mentions not in finding for finding in findings):
        return True
    return case.times is not None and len(findings) != case.times


def in_use(module: str, source: str, monkeypatch: pytest.MonkeyPatch) -> list[Rule]:
    """All rules, with the changed module's functions behind those that use them."""
    own = loaded(module, source)
    if own:
        return [own.get(rule.name, rule) for rule in RULES]
    # A module without a rule of its own serves others, which call it by its name.
    original = getattr(policies.rules, module)
    changed = types.ModuleType(module)
    exec(compile(source, module, "exec"), changed.__dict__)
    for name, value in vars(changed).items():
        if isinstance(value, types.FunctionType):
            monkeypatch.setattr(original, name, value)
    return list(RULES)


@pytest.mark.parametrize(("module", "number"), list(mutants()))
def test_a_flipped_condition_is_noticed(module, number, monkeypatch):
    source, line = flipped(module, number)
    rules = in_use(module, source, monkeypatch)
    names = {rule.name: rule for rule in rules}
    changed = {name for name, rule in names.items() if rule is not BY_NAME[name]} or set(names)
    noticed = any(notices(case, rules) for case in CASES if case.rule in changed) or any(
        said(rule, *stack, using=names[rule], **options) != expected
        for rule, stack, options, expected in STACK_CASES
        if rule in changed
    )
    assert noticed, f"policies/rules/{module}.py:{line} can be flipped and no case notices"
