"""The examples of the reference are true: the bad one is found, the good one is not."""

from datetime import date

import pytest
from pulumi.runtime import proto

from policies import reference
from policies.exemptions import Exemptions
from policies.server import Analyzer
from policies.table import RULES
from tests.policies.running import ask, registrations, rules_of

PROGRAMS = [rule for rule in RULES if rule.name != "pack-is-in-order"]


@pytest.mark.parametrize("rule", PROGRAMS, ids=lambda rule: rule.name)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_the_bad_example_is_found_by_its_rule(rule, preview):
    found = ask(Analyzer(), registrations(reference.example(rule, "bad"), preview=preview))
    assert rule.name in rules_of(found)


@pytest.mark.parametrize("rule", PROGRAMS, ids=lambda rule: rule.name)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_the_good_example_keeps_its_rule_and_breaks_no_mandatory_one(rule, preview):
    found = ask(Analyzer(), registrations(reference.example(rule, "good"), preview=preview))
    assert rule.name not in rules_of(found)
    mandatory = [each for each in found if each.enforcementLevel == proto.MANDATORY]
    assert [diagnostic.message for diagnostic in mandatory] == []


def test_the_pack_as_a_process_finds_every_bad_example(pack_process):
    for rule in PROGRAMS:
        registered = registrations(reference.example(rule, "bad"), preview=True)
        assert rule.name in rules_of(ask(pack_process, registered)), rule.name


def test_the_examples_of_exemptions_are_refused_and_accepted():
    rule = RULES[-1]
    names = [rule.name for rule in RULES]
    refused = Exemptions(names, file=reference.example(rule, "bad"), today=date(2026, 1, 1))
    (said,) = refused.report()
    assert "exempts nothing" in said
    accepted = Exemptions(names, file=reference.example(rule, "good"), today=date(2026, 1, 1))
    (said,) = accepted.report()
    assert "is not used" in said


def test_the_reference_is_generated_from_the_rules():
    assert reference.is_current(), "run: python -m policies docs"
