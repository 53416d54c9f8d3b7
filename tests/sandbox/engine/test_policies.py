"""Policy packs under the built-in engine: configuration, levels, packages without a provider."""

import json

import pytest
from engine_bench import errors

PACK = """
from pulumi_policy import *

def small(args, report):
    limit = args.get_config()["limit"]
    if args.resource_type.endswith(":Thing") and args.props.get("number", 0) > limit:
        report(f"{args.props['number']:g} is more than {limit:g}")

def bucket(args, report):
    if args.resource_type == "gcp:storage/bucket:Bucket":
        report("no buckets here")

def where(args, report):
    if args.resource_type == "demo:index:Thing" and args.name == "told":
        import os, pulumi
        report(json.dumps({
            "project": pulumi.get_project(), "stack": pulumi.get_stack(),
            "step": pulumi.Config("bench").require("step"), "provider": args.provider.name,
            "protect": args.opts.protect, "dry": os.environ["PULUMI_DRY_RUN"],
            "parent": args.opts.parent.rsplit("::", 1)[-1],
        }))

import json
PolicyPack("packed", policies=[
    ResourceValidationPolicy("small", "Small.", small, EnforcementLevel.MANDATORY,
        config_schema=PolicyConfigSchema({
            "limit": {"type": "number", "default": 3},
            "note": {"type": ["string", "null"]},
        })),
    ResourceValidationPolicy("bucket", "No buckets.", bucket, EnforcementLevel.MANDATORY),
    ResourceValidationPolicy("where", "Where.", where, EnforcementLevel.ADVISORY),
])
"""


@pytest.fixture
def pack(bench):
    folder = bench.folder / "pack"
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 3.2.1\n")
    (folder / "__main__.py").write_text(PACK)
    return folder


def settings(bench, content):
    file = bench.folder / "settings.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return {"policy_pack_configs": (file,)}


def test_a_mandatory_violation_names_pack_version_rule_level_and_resource(bench, pack):
    result = bench.up('Thing("big", number=4)', policy_packs=(pack,))
    assert result.exit_code != 0
    (finding,) = result.findings
    assert (finding.pack, finding.pack_version, finding.rule) == ("packed", "3.2.1", "small")
    assert finding.level == "mandatory"
    assert finding.message == "Small.\n4 is more than 3"
    assert finding.urn.endswith("::big")
    assert bench.things() == [], "something was created although a policy forbids it"


@pytest.mark.parametrize(
    ("config", "levels"),
    [
        ({"small": {"limit": 9}}, []),
        ({"small": "disabled"}, []),
        ({"small": "advisory"}, ["advisory"]),
        ({"all": "advisory"}, ["advisory"]),
        ({"all": "disabled", "small": {"enforcementLevel": "advisory"}}, ["advisory"]),
        ({"small": {"enforcementLevel": "advisory", "limit": 1}}, ["advisory"]),
        ({"small": {"note": None, "limit": 9}}, []),
    ],
)
def test_a_pack_is_configured_as_the_cli_does_it(bench, pack, config, levels):
    result = bench.up('Thing("a", number=4)', policy_packs=(pack,), **settings(bench, config))
    assert [finding.level for finding in result.findings] == levels
    assert result.ok, errors(result)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"small": {"limit": "much"}}, "'limit' must be of type number, is 'much'"),
        ({"small": {"note": 1}}, "'note' must be of type string or null, is 1"),
        ({"small": "strict"}, "'strict' is not an enforcement level"),
        ({"small": 3}, "'small' holds a int, not a mapping"),
        ("{", "cannot be read"),
        ("[]", "holds a list, not a mapping"),
    ],
)
def test_a_wrong_configuration_of_a_pack_is_refused(bench, pack, config, message):
    result = bench.up('Thing("a")', policy_packs=(pack,), **settings(bench, config))
    assert result.exit_code != 0
    assert message in errors(result)
    assert bench.things() == []


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_a_violation_is_found_where_the_package_has_no_provider(bench, pack, operation):
    text = """
    pulumi.CustomResource("gcp:storage/bucket:Bucket", "b", {"location": "EU"})
    """
    result = getattr(bench, operation)(text, policy_packs=(pack,))
    assert result.exit_code != 0
    assert [(finding.rule, finding.level) for finding in result.findings] == [
        ("bucket", "mandatory")
    ]
    assert ("no provider for package 'gcp'" in errors(result)) == (operation == "preview")


def test_a_preview_tells_of_every_violation_and_of_a_missing_package_once(bench, pack):
    text = """
    bucket = pulumi.CustomResource("gcp:storage/bucket:Bucket", "b1", {})
    pulumi.CustomResource("gcp:storage/bucket:Bucket", "b2", {"other": bucket.id})
    Thing("big", number=4)
    """
    result = bench.preview(text, policy_packs=(pack,))
    named = sorted(finding.urn.rsplit("::", 1)[-1] for finding in result.findings)
    assert named == ["b1", "b2", "big"]
    assert errors(result).count("no provider for package") == 1


def test_a_pack_sees_the_project_the_options_and_the_provider(bench, pack):
    text = 'g = Group("g")\nThing("told", opts=ResourceOptions(parent=g, protect=True))'
    result = bench.preview(text, policy_packs=(pack,))
    (finding,) = result.findings
    assert json.loads(finding.message.removeprefix("Where.\n")) == {
        "project": "bench",
        "stack": "dev",
        "step": "1",
        "provider": "default_1_0_0",
        "protect": True,
        "dry": "true",
        "parent": "g",
    }


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda f: (f / "PulumiPolicy.yaml").unlink(), "PulumiPolicy.yaml cannot be read"),
        (lambda f: (f / "PulumiPolicy.yaml").write_text("runtime: nodejs\n"), "must be python"),
        (lambda f: (f / "__main__.py").write_text("print('hello')\n"), "must be a port"),
        (lambda f: (f / "__main__.py").write_text("raise ValueError('broken')\n"), "broken"),
    ],
)
def test_a_pack_that_does_not_start_ends_the_operation(bench, pack, break_it, message):
    break_it(pack)
    result = bench.up('Thing("a")', policy_packs=(pack,))
    assert result.exit_code != 0
    assert message in errors(result), errors(result)
    assert bench.things() == []
