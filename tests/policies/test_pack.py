"""The pack as a pack: standard policies, known tokens, and a start that loads little."""

import subprocess
import sys
from pathlib import Path

import pulumi_aws as aws
import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer as PolicyAnalyzerServicer

from policies import kinds, pack
from policies.kinds import kind_of
from policies.server import Analyzer
from policies.table import RULES
from tests.policies import cases
from tests.policies.conftest import ROOT, request
from tests.policies.running import rules_of

TOKENS = {
    kinds.API: aws.apigatewayv2.Api,
    kinds.STAGE: aws.apigatewayv2.Stage,
    kinds.DEPLOYMENT: aws.apigatewayv2.Deployment,
    kinds.API_MAPPING: aws.apigatewayv2.ApiMapping,
    kinds.AUTHORIZER: aws.apigatewayv2.Authorizer,
    kinds.ROUTE: aws.apigatewayv2.Route,
    kinds.TABLE: aws.dynamodb.Table,
    kinds.GLOBAL_TABLE: aws.dynamodb.GlobalTable,
    kinds.ROLE: aws.iam.Role,
    kinds.POLICY: aws.iam.Policy,
    kinds.ROLE_POLICY: aws.iam.RolePolicy,
    kinds.USER_POLICY: aws.iam.UserPolicy,
    kinds.GROUP_POLICY: aws.iam.GroupPolicy,
    kinds.ATTACHMENT: aws.iam.RolePolicyAttachment,
    kinds.FUNCTION: aws.lambda_.Function,
    kinds.PERMISSION: aws.lambda_.Permission,
    kinds.EVENT_SOURCE: aws.lambda_.EventSourceMapping,
    kinds.INVOKE_CONFIG: aws.lambda_.FunctionEventInvokeConfig,
    kinds.EVENT_TARGET: aws.cloudwatch.EventTarget,
    kinds.EVENT_RULE: aws.cloudwatch.EventRule,
    kinds.LOG_GROUP: aws.cloudwatch.LogGroup,
    kinds.STACK: aws.cloudformation.Stack,
    kinds.STACK_SET: aws.cloudformation.StackSet,
    kinds.CLOUD_CONTROL: aws.cloudcontrol.Resource,
    kinds.SERVERLESS_APPLICATION: aws.serverlessrepository.CloudFormationStack,
    kinds.PRODUCT: aws.servicecatalog.ProvisionedProduct,
    kinds.EVENT_API: aws.appsync.Api,
    kinds.GRAPHQL_API: aws.appsync.GraphQLApi,
    kinds.IOT_DOMAIN: aws.iot.DomainConfiguration,
}


@pytest.mark.parametrize(("kind", "resource"), TOKENS.items(), ids=str)
def test_the_providers_own_token_is_known(kind, resource):
    assert kind_of(resource.pulumi_type) == kind


def test_the_packs_policies_are_standard_ones_and_say_the_same_in_the_sdks_server():
    standard = PolicyAnalyzerServicer(
        "standard", "1", pack.policies(RULES), EnforcementLevel.ADVISORY
    )
    ours = Analyzer()
    for case in cases.CASES:
        if case.options or case.stage != "dev":
            continue
        asked = request(case.type, case.props, case.name)
        assert rules_of(standard.Analyze(asked, None).diagnostics) == rules_of(
            ours.Analyze(asked, None).diagnostics
        ), case


def test_the_engine_is_told_what_the_table_says():
    told = Analyzer().GetAnalyzerInfo(empty_pb2.Empty(), None)
    assert [policy.name for policy in told.policies] == [rule.name for rule in RULES]
    for policy, rule in zip(told.policies, RULES, strict=True):
        assert policy.description == rule.stops
        assert policy.remediation_steps == rule.fix
        assert policy.url.startswith("https://")
        assert set(policy.configSchema.properties) == set(rule.options)


def test_no_module_of_the_pack_bears_a_standard_librarys_name():
    # The launcher puts this folder first on the path of the process that serves the pack.
    names = {path.stem for path in (ROOT / "policies").iterdir()}
    assert not names & set(sys.stdlib_module_names)


def test_the_pack_names_its_version_and_its_environment():
    described = yaml.safe_load((ROOT / "policies" / "PulumiPolicy.yaml").read_text())
    assert described["version"]
    assert described["runtime"]["options"]["virtualenv"] == "../.venv"


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_server_loads_no_provider_and_no_yaml_at_its_start():
    added = loaded_by("policies.server") - loaded_by("pulumi_policy")
    assert not added & {"yaml", "pulumi_aws", "boto3", "policies.check", "jsonschema"}


def test_the_check_of_a_state_loads_no_sdk():
    loaded = loaded_by("policies.check.run, policies.check.state, policies.check.machine")
    assert not loaded & {"pulumi", "pulumi_policy", "grpc", "yaml"}


def test_a_rule_that_fails_is_a_violation_and_never_a_pass():
    from dataclasses import replace

    def fails(resource, settings):
        raise KeyError("a fault of ours")

    broken = (replace(RULES[0], check=fails),)
    answer = Analyzer(broken).Analyze(request(cases.API, {"protocolType": "HTTP"}), None)
    (diagnostic,) = answer.diagnostics
    assert "could not be run" in diagnostic.message


def test_every_rule_has_a_case_or_a_stack():
    covered = {case.rule for case in cases.CASES} | {
        path.stem for path in Path(__file__).parent.glob("test_*")
    }
    missing = {rule.name for rule in RULES if rule.check is not None} - covered
    assert missing == set()
