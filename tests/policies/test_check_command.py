"""`python -m policies check`: inputs, formats and exit statuses."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from policies.command import main
from policies.table import RULES

BAN = "no-standalone-websocket-api"
API = "aws:apigatewayv2/api:Api"


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::shop::{type_}::{name}"


def resource(type_: str, name: str, inputs: dict, **more) -> dict:
    return {"type": type_, "urn": urn(type_, name), "inputs": inputs, "outputs": inputs, **more}


def write(file: Path, document: object) -> str:
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(file)


@pytest.fixture
def bad_state(tmp_path) -> str:
    resources = [
        resource(API, "chat", {"protocolType": "WEBSOCKET"}),
        resource(API, "shared", {"protocolType": "WEBSOCKET"}, external=True),
        resource(API, "old", {"protocolType": "WEBSOCKET"}, delete=True),
        resource(
            "aws:lambda/function:Function",
            "f",
            {"environment": {"variables": {"IDENTITY_MODE": "connection"}}},
        ),
    ]
    return write(tmp_path / "state.json", {"version": 3, "deployment": {"resources": resources}})


@pytest.fixture
def good_state(tmp_path) -> str:
    resources = [resource(API, "catalogue", {"protocolType": "HTTP"})]
    return write(tmp_path / "good.json", {"version": 3, "deployment": {"resources": resources}})


def test_a_state_with_a_websocket_api_fails_and_what_is_only_read_is_not_held_against_it(
    bad_state, capsys
):
    assert main(["check", "--state", bad_state, "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [(each["rule"], each["resource"]) for each in report["violations"]] == [
        (BAN, "chat"),
        ("identity-is-proved", "f"),
    ]
    assert report["summary"] == {"mandatory": 1, "advisory": 1, "exempted": 0, "later": 0}


def test_a_clean_state_passes(good_state, capsys):
    assert main(["check", "--state", good_state]) == 0
    assert capsys.readouterr().out.startswith("passed")


def test_advisories_alone_pass(bad_state, tmp_path, capsys):
    config = write(tmp_path / "config.json", {BAN: "advisory"})
    assert main(["check", "--state", bad_state, "--config", config]) == 0
    assert "0 mandatory, 2 advisory" in capsys.readouterr().out


def test_the_text_names_the_resource_the_rule_the_fact_and_the_way_out(bad_state, capsys):
    main(["check", "--state", bad_state])
    text = capsys.readouterr().out
    assert "mandatory  no-standalone-websocket-api  [critical]" in text
    assert f"chat ({API})" in text
    assert 'its protocol is "WEBSOCKET"\n' in text
    assert "instead: attach routes" in text
    assert text.splitlines()[-1].startswith("FAILED: state (2 resources, 20 rules)")


def test_sarif_holds_every_rule_and_a_place_for_every_result(bad_state, capsys):
    main(["check", "--state", bad_state, "--format", "sarif"])
    document = json.loads(capsys.readouterr().out)
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.name for rule in RULES]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].endswith("state.json")
        assert place["region"]["startLine"] >= 1
    assert [result["level"] for result in run["results"]] == ["error", "warning"]


def test_junit_fails_the_rule_that_is_broken(bad_state, capsys):
    main(["check", "--state", bad_state, "--format", "junit"])
    suite = ET.fromstring(capsys.readouterr().out).find("testsuite")
    assert suite is not None
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == [BAN]
    assert suite.get("failures") == "1"
    assert suite.get("tests") == str(len(RULES))


def test_an_exempted_violation_passes_and_is_reported(bad_state, tmp_path, capsys):
    from datetime import UTC, datetime, timedelta

    expires = (datetime.now(UTC) + timedelta(days=90)).date()
    exemptions = write(
        tmp_path / "exemptions.yaml",
        f"exemptions:\n  - rule: {BAN}\n    resource: chat\n    reason: old clients, until spring\n"
        f"    owner: merchants\n    expires: {expires}\n",
    )
    assert (
        main(["check", "--state", bad_state, "--exemptions", exemptions, "--format", "sarif"]) == 0
    )
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    suppressed = [result for result in results if "suppressions" in result]
    assert [result["ruleId"] for result in suppressed] == [BAN]
    assert "old clients" in suppressed[0]["suppressions"][0]["justification"]


def test_the_line_of_a_template_is_that_of_the_resource(tmp_path, capsys):
    text = "Resources:\n  Queue: {Type: AWS::SQS::Queue}\n"
    text += "  Chat:\n    Type: AWS::Serverless::WebSocketApi\n"
    file = write(tmp_path / "template.yaml", text)
    assert main(["check", "--template", file, "--format", "json"]) == 1
    (violation,) = json.loads(capsys.readouterr().out)["violations"]
    assert violation["line"] == 3


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        "{}",
        '{"deployment": {}}',
        '{"deployment": {"resources": [{"urn": "x"}]}}',
        '{"deployment": {"resources": [5]}}',
    ],
)
def test_a_state_that_cannot_be_read_is_no_pass(tmp_path, capsys, document):
    assert main(["check", "--state", write(tmp_path / "state.json", document)]) == 2
    assert "could not check" in capsys.readouterr().err


@pytest.mark.parametrize("document", ["", "a: b", "Resources: [", "Resources: 5", "&a [*a]"])
def test_a_template_that_cannot_be_read_is_no_pass(tmp_path, document):
    assert main(["check", "--template", write(tmp_path / "t.yaml", document)]) == 2


@pytest.mark.parametrize(
    "document", ["{", "{}", '{"resource_changes": [{}]}', '{"resource_changes": 1}']
)
def test_a_plan_that_cannot_be_read_is_no_pass(tmp_path, document):
    assert main(["check", "--plan", write(tmp_path / "plan.json", document)]) == 2


def test_an_input_that_is_not_there_is_no_pass(tmp_path):
    for kind in ("--state", "--template", "--plan", "--program"):
        assert main(["check", kind, str(tmp_path / "nothing")]) == 2


def test_a_program_that_fails_is_no_pass_and_says_why(tmp_path, capsys):
    (tmp_path / "__main__.py").write_text("raise ValueError('no such region')\n")
    assert main(["check", "--program", str(tmp_path)]) == 2
    assert "ValueError: no such region" in capsys.readouterr().err


def test_a_program_is_checked_in_preview_and_with_values(tmp_path, capsys):
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  kind: WEBSOCKET\n")
    (tmp_path / "__main__.py").write_text(
        "import pulumi\n"
        "kind = pulumi.Config().require('kind')\n"
        f"pulumi.CustomResource('{API}', 'chat', {{'protocolType': kind}})\n"
    )
    assert main(["check", "--program", str(tmp_path), "--format", "json"]) == 1
    (violation,) = json.loads(capsys.readouterr().out)["violations"]
    assert violation["rule"] == BAN
    assert violation["found"] == ["in preview", "with values"]


def test_a_templates_function_and_its_log_group_belong_together(tmp_path, capsys):
    function = """
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Environment: {Variables: {WEBSOCKET_API: lwk0wf6rpl}}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Orders, Principal: "123456789012"}
  Source:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !GetAtt Orders.Arn, EventSourceArn: !GetAtt Queue.Arn}
"""
    group = """
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/aws/lambda/${Orders}", RetentionInDays: 7}
"""
    broken = []
    for text in (f"Resources:{function}", f"Resources:{function}{group}"):
        main(["check", "--template", write(tmp_path / "t.yaml", text), "--format", "json"])
        violations = json.loads(capsys.readouterr().out)["violations"]
        broken.append({violation["rule"] for violation in violations})
    others = {"event-source-is-bounded", "function-has-dead-letter-target"}
    assert broken == [{"function-keeps-its-logs", *others}, others]


def test_a_program_may_stand_in_a_folder_of_its_own(tmp_path, capsys):
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\nmain: infra\n")
    (tmp_path / "infra").mkdir()
    program = f"import pulumi\npulumi.CustomResource('{API}', 'chat', {{}})\n"
    (tmp_path / "infra" / "__main__.py").write_text(program)
    assert main(["check", "--program", str(tmp_path)]) == 1


def test_a_mistyped_configuration_is_no_pass(good_state, tmp_path, capsys):
    config = write(tmp_path / "config.json", {"no-opaque-template": {"alow": []}})
    assert main(["check", "--state", good_state, "--config", config]) == 2
    assert 'there is no option "alow"' in capsys.readouterr().err


def test_encrypted_values_of_a_state_are_unknown_and_unknown_is_no_pass(tmp_path):
    secret = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "ciphertext": "v1:x",
    }
    resources = [resource(API, "chat", {"protocolType": secret})]
    state = write(tmp_path / "s.json", {"deployment": {"resources": resources}})
    assert main(["check", "--state", state]) == 1
