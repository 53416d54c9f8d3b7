"""Asking one rule about one case, with the real rules or with changed ones."""

from collections.abc import Sequence

from policies import configuration
from policies.evaluation import Evaluation
from policies.exemptions import Exemptions
from policies.kinds import kind_of
from policies.model import Deferred, Finding, Resource
from policies.rule import Rule
from policies.table import RULES
from policies.values import Props
from policies.wire import from_json
from tests.policies.cases import Case


def said_by(case: Case, rules: Sequence[Rule] = RULES) -> tuple[list[str], list[str]]:
    """What the case's rule holds against its resource, and what it puts off."""
    configured = configuration.configure(
        tuple(rules), case.options, {}, exemptions=Exemptions(file=None), stage=case.stage
    )
    props = from_json(case.props)
    assert isinstance(props, dict)
    resource = Resource(
        type=case.type,
        kind=kind_of(case.type),
        name=case.name,
        urn=f"urn:pulumi:{case.stage}::shop::{case.type}::{case.name}",
        props=Props(props),
    )
    outcomes = [
        outcome
        for rule, outcome in Evaluation(configured.rules, configured.settings).check(resource)
        if rule.name == case.rule
    ]
    return (
        [outcome.problem for outcome in outcomes if isinstance(outcome, Finding)],
        [outcome.reason for outcome in outcomes if isinstance(outcome, Deferred)],
    )
