"""What cannot work is refused by the command before anything is created, and says why."""

import socket

import pytest

from sandbox import cloud as clouds
from sandbox.commands.settings import changed
from sandbox.platform import ensure

pytestmark = pytest.mark.xdist_group("refusals")

SELECTION = ', route_selection_expression="$request.body.action"'
STANDALONE = f"""
import pulumi_aws as aws

protocol = PROTOCOL
aws.apigatewayv2.Api("mine", protocol_type=protocol{SELECTION})
"""


@pytest.fixture(scope="module")
def there(clone):
    """A cloud with the platform, on which nothing of ours is deployed."""
    home = clone.root / ".sandbox"
    running = clouds.start(home, auth=True)
    ensure(running)
    yield running
    running.stop()


@pytest.fixture
def settings(clone):
    """Edit the stack's settings; they are put back afterwards."""
    path = clone.root / "Pulumi.sandbox.yaml"
    before = path.read_text()
    yield lambda key, value: path.write_text(changed(path.read_text(), key, value))
    path.write_text(before)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        (
            "order-receiver:sharedApiName",
            "WizzUser-WebSocket-nowhere",
            "WizzUser-WebSocket-nowhere",
        ),
        ("order-receiver:routes", '["PING", "hearbeat"]', "hearbeat"),
        ("order-receiver:routes", '["PING", "$connect"]', "$connect"),
        ("order-receiver:logRetentionDays", "8", "logRetentionDays"),
        ("order-receiver:logRetentionDys", "7", "logRetentionDys"),
        ("order-receiver:businessesTable", None, "businessesTable"),
        ("order-receiver:businessesTable", "Nothing_sandbox", "Nothing_sandbox"),
        ("order-receiver:subscriptionsTable", "WizzOrders_sandbox", "subscriptionsTable"),
        ("order-receiver:ordersTable", "WizzUser_platform_events", "WizzUser_platform_events"),
        ("order-receiver:sharedStage", "production", "production"),
    ],
)
def test_a_setting_that_cannot_work_is_named(clone, there, settings, key, value, named):
    settings(key, value)
    _refused(clone, there, named)


def test_a_stage_that_does_not_deploy_by_itself_is_named(clone, there):
    gateway, api = there.client("apigatewayv2"), ensure(there).api_id
    gateway.update_stage(ApiId=api, StageName="sandbox", AutoDeploy=False)
    try:
        _refused(clone, there, "AutoDeploy")
    finally:
        gateway.update_stage(ApiId=api, StageName="sandbox", AutoDeploy=True)


def test_two_apis_of_the_shared_name_are_both_named(clone, there):
    gateway, platform = there.client("apigatewayv2"), ensure(there)
    second = gateway.create_api(
        Name=platform.api_name,
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.action",
    )["ApiId"]
    try:
        _refused(clone, there, second, platform.api_id)
    finally:
        gateway.delete_api(ApiId=second)


def test_an_http_api_under_the_shared_name_is_named(clone, there, settings):
    gateway = there.client("apigatewayv2")
    api = gateway.create_api(Name="Shared-HTTP", ProtocolType="HTTP")["ApiId"]
    settings("order-receiver:sharedApiName", "Shared-HTTP")
    try:
        _refused(clone, there, "HTTP", api)
    finally:
        gateway.delete_api(ApiId=api)


def test_a_route_that_somebody_else_serves_is_named_with_its_owner(clone, there):
    gateway, api = there.client("apigatewayv2"), ensure(there).api_id
    integration = gateway.get_integrations(ApiId=api)["Items"][0]
    route = gateway.create_route(
        ApiId=api, RouteKey="PING", Target=f"integrations/{integration['IntegrationId']}"
    )["RouteId"]
    owner = integration["IntegrationUri"].split(":function:")[1].split("/")[0]
    try:
        _refused(clone, there, "PING", owner)
    finally:
        gateway.delete_route(ApiId=api, RouteId=route)


@pytest.mark.parametrize(
    "protocol", ['"WEBSOCKET"', 'aws.sqs.Queue("queue").arn.apply(lambda arn: "WEBSOCKET")']
)
@pytest.mark.parametrize("command", [("preview",), ("up", "--yes")])
def test_a_websocket_api_of_ones_own_is_refused(clone, there, tmp_path, command, protocol):
    before = _apis(there)
    done = clone.sandbox(*command, *_program(tmp_path, protocol), "--policy-pack", "policies")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "no-standalone-websocket-api" in said
    assert "mine" in said
    assert "components.OrderReceiver" in said
    assert _apis(there) == before


def test_an_http_api_of_ones_own_is_nobodys_business(clone, there, tmp_path):
    program = _program(tmp_path, '"HTTP"')
    file = tmp_path / "__main__.py"
    file.write_text(file.read_text().replace(SELECTION, ""))
    done = clone.sandbox("preview", *program, "--policy-pack", "policies")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_port_in_use_is_named(clone, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        home = str(tmp_path / "home")
        done = clone.sandbox("preview", SANDBOX_PORT=port, SANDBOX_HOME=home)
    assert done.returncode == 1
    assert f"error: port {port}: it is in use by another program" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("token", "nobody"), "merchant1"),
        (("preview", "--cwd", "nowhere"), "nowhere"),
        (("preview", "--cwd", "/"), "Pulumi.yaml"),
        (("preview", "--policy-pack", "docs"), "PulumiPolicy.yaml"),
        (("outputs",), "not deployed"),
        (("up",), "--yes"),
        (("dance",), "dance"),
    ],
)
def test_a_misuse_ends_in_one_line_and_no_traceback(clone, there, arguments, named):
    done = clone.sandbox(*arguments)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert named in said
    assert "Traceback" not in said


def _program(folder, protocol):
    folder.joinpath("Pulumi.yaml").write_text("name: standalone\nruntime: python\n")
    folder.joinpath("__main__.py").write_text(STANDALONE.replace("PROTOCOL", protocol))
    return ("--cwd", str(folder))


def _refused(clone, there, *named):
    before = _everything(there)
    done = clone.sandbox("preview")
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    for word in named:
        assert word in said
    assert "Traceback" not in said
    assert _everything(there) == before


def _apis(there):
    return {api["ApiId"] for api in there.client("apigatewayv2").get_apis()["Items"]}


def _everything(there):
    functions = there.client("lambda").list_functions()["Functions"]
    roles = there.client("iam").list_roles()["Roles"]
    return _apis(there), {f["FunctionName"] for f in functions}, {r["RoleName"] for r in roles}
