"""Every case of every rule, asked as the engine asks."""

import pytest

from tests.policies.cases import CASES, Case
from tests.policies.judging import said_by


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_rule_says_of_the_resource_what_the_case_says(case: Case):
    findings, later = said_by(case)
    if case.says == "found":
        assert findings, "the rule lets it pass"
        assert all(case.mentions in finding for finding in findings), findings
        assert case.times is None or len(findings) == case.times, findings
    else:
        assert findings == []
    assert bool(later) == (case.says == "later")
