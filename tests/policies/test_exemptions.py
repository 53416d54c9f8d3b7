"""Exemptions: complete and current ones let pass, all others are reported and let nothing pass."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from policies.exemptions import Exemptions
from policies.server import Analyzer
from policies.table import RULES
from tests.policies.cases import API
from tests.policies.conftest import request
from tests.policies.running import ask, rules_of

TODAY = date(2026, 6, 1)
BAN = "no-standalone-websocket-api"
NAMES = [rule.name for rule in RULES]
COMPLETE = {
    "rule": BAN,
    "resource": "legacy-chat",
    "reason": "runs until the old clients are gone",
    "owner": "merchant team",
    "expires": "2026-12-31",
}


def exemptions(tmp_path: Path, *entries: dict) -> Exemptions:
    lines = ["exemptions:"]
    for entry in entries:
        pairs = [f"{key}: {value!r}" for key, value in entry.items()]
        lines += [f"  {'-' if not number else ' '} {pair}" for number, pair in enumerate(pairs)]
    file = tmp_path / "exemptions.yaml"
    file.write_text("\n".join(lines) if entries else "exemptions: []", encoding="utf-8")
    return Exemptions(NAMES, file=file, today=TODAY)


def refused(known: Exemptions, name: str = "legacy-chat") -> bool:
    answer = Analyzer(exemptions=known).Analyze(
        request(API, {"protocolType": "WEBSOCKET"}, name), None
    )
    return bool(answer.diagnostics)


def test_a_complete_and_current_entry_lets_pass_and_the_answer_says_why(tmp_path):
    known = exemptions(tmp_path, COMPLETE)
    answer = Analyzer(exemptions=known).Analyze(
        request(API, {"protocolType": "WEBSOCKET"}, "legacy-chat"), None
    )
    assert not answer.diagnostics
    (passed,) = answer.not_applicable
    assert passed.policy_name == BAN
    assert "runs until the old clients are gone" in passed.reason


@pytest.mark.parametrize("name", ["other", "legacy-chat-2", "Legacy-chat", ""])
def test_it_speaks_of_no_other_resource_and_of_none_without_a_name(tmp_path, name):
    assert refused(exemptions(tmp_path, COMPLETE), name)


@pytest.mark.parametrize(
    "pattern", ["legacy-*", "l?gacy-chat", "urn:pulumi:dev::shop::*::legacy-chat"]
)
def test_a_pattern_matches_the_name_or_the_urn(tmp_path, pattern):
    assert not refused(exemptions(tmp_path, {**COMPLETE, "resource": pattern}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rule": "no-such-rule"}, "no rule"),
        ({"reason": "legacy"}, "fewer than 10"),
        ({"reason": ""}, 'no "reason"'),
        ({"owner": ""}, 'no "owner"'),
        ({"expires": "soon"}, "no date"),
        ({"expires": "2028-01-01"}, "more than a year"),
        ({"resource": "*"}, "exempt everything"),
        ({"resource": "**?*"}, "exempt everything"),
        ({"resource": "*a*"}, "exempt everything"),
        ({"resource": "urn:pulumi:dev::shop::aws:apigatewayv2/api:Api::*"}, "exempt everything"),
        ({"resource": 7}, "exempt everything"),
        ({"until": "2026-12-31"}, '"until" is no key'),
    ],
)
def test_a_malformed_entry_exempts_nothing_and_is_reported(tmp_path, change, says):
    known = exemptions(tmp_path, {**COMPLETE, **change})
    assert refused(known)
    (line,) = known.report()
    assert says in line
    assert "exempts nothing" in line


def test_one_malformed_entry_does_not_take_the_others_with_it(tmp_path):
    known = exemptions(tmp_path, {**COMPLETE, "reason": "x"}, COMPLETE)
    assert not refused(known)


def test_an_expired_entry_exempts_nothing_and_the_violation_says_so(tmp_path):
    known = exemptions(tmp_path, {**COMPLETE, "expires": "2026-05-31"})
    answer = Analyzer(exemptions=known).Analyze(
        request(API, {"protocolType": "WEBSOCKET"}, "legacy-chat"), None
    )
    (diagnostic,) = answer.diagnostics
    assert "expired on 2026-05-31" in diagnostic.message
    (line,) = known.report()
    assert "expired on 2026-05-31" in line


def test_the_last_day_still_counts(tmp_path):
    assert not refused(exemptions(tmp_path, {**COMPLETE, "expires": TODAY.isoformat()}))


def test_the_report_tells_used_from_unused_and_soon_from_late(tmp_path):
    soon = {**COMPLETE, "resource": "soon-gone", "expires": str(TODAY + timedelta(days=30))}
    known = exemptions(tmp_path, COMPLETE, soon, {**COMPLETE, "resource": "nobody"})
    refused(known, "legacy-chat")
    refused(known, "soon-gone")
    used, expiring, unused = known.report()
    assert "is used, until 2026-12-31" in used
    assert f"expires on {TODAY + timedelta(days=30)}" in expiring
    assert "is not used" in unused


def test_the_stack_policy_reports_the_exemptions(tmp_path):
    analyzer = Analyzer(exemptions=exemptions(tmp_path, COMPLETE))
    assert rules_of(ask(analyzer, [])) == {"pack-is-in-order"}


@pytest.mark.parametrize("text", ["- a", "exemptions: 5", "exemptions: [", "other: []", "\x00", ""])
def test_a_file_that_cannot_be_read_exempts_nothing_and_is_reported(tmp_path, text):
    file = tmp_path / "exemptions.yaml"
    file.write_text(text, encoding="utf-8")
    known = Exemptions(NAMES, file=file, today=TODAY)
    assert refused(known)
    (line,) = known.report()
    assert "exempts nothing" in line


def test_the_packs_own_file_is_in_order():
    assert not [line for line in Exemptions(NAMES).report() if "exempts nothing" in line]
