"""What one operation of the built-in engine does, beyond the steps that `parity` compares."""

import asyncio
import dataclasses
import json
import os
import re
import sys
from pathlib import Path

import pytest
from engine_bench import QUIET, errors, ops

from sandbox.stack import EngineError


def test_outputs_are_shown_with_secrets_hidden_unless_asked_for(bench):
    result = bench.up(
        """
        a = Thing("a", value="v")
        pulumi.export("token", a.token)
        pulumi.export("hidden", pulumi.Output.secret({"key": "s3cret"}))
        """
    )
    assert result.ok, errors(result)
    assert bench.engine.outputs(bench.stack) == {"token": "token-a", "hidden": "[secret]"}
    shown = bench.engine.outputs(bench.stack, show_secrets=True)
    assert shown == {"token": "token-a", "hidden": {"key": "s3cret"}}
    assert result.outputs == shown
    assert "s3cret" not in bench.state.read_text(), "a secret lies in the state in clear"


def test_a_second_up_writes_nothing(bench):
    text = 'a = Thing("a", hidden=pulumi.Output.secret("s"))\npulumi.export("t", a.token)'
    assert bench.up(text).ok
    before = bench.state.stat()
    result = bench.up(text)
    assert result.ok
    assert result.changes == ()
    after = bench.state.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_preview_leaves_no_state_behind(bench):
    assert bench.preview('Thing("a", value="v")').ok
    assert not bench.state.exists()
    assert bench.things() == []


def test_an_export_can_be_imported_and_nothing_changes(bench):
    text = 'Thing("a", hidden=pulumi.Output.secret("s"))'
    bench.up(text)
    exported = json.loads(json.dumps(bench.engine.export(bench.stack)))
    bench.state.unlink()
    bench.engine.import_(bench.stack, exported)
    assert bench.preview(text).changes == ()


def test_a_state_of_another_stack_is_not_imported(bench):
    bench.up('Thing("a", value="v")')
    exported = json.loads(json.dumps(bench.engine.export(bench.stack)).replace(":dev::", ":prod::"))
    with pytest.raises(EngineError, match="is not of the stack 'dev'"):
        bench.engine.import_(bench.stack, exported)


def test_the_program_sees_configuration_defaults_secrets_and_types(bench):
    bench.describe(
        "name: bench\nruntime: python\nconfig:\n"
        "  size: {type: integer, default: 3}\n  names: {type: array}\n"
    )
    bench.configure("config: {bench:step: 1, bench:names: [a, b], other:key: true}\n")
    result = bench.up(
        """
        config = pulumi.Config()
        pulumi.export("size", config.require_int("size"))
        pulumi.export("names", config.require_object("names"))
        pulumi.export("other", pulumi.Config("other").require_bool("key"))
        """
    )
    assert result.outputs == {"size": 3, "names": ["a", "b"], "other": True}


def test_a_secure_configuration_value_is_decrypted_and_stays_secret(bench):
    from sandbox.engine.secrets import Crypter, passphrase

    crypter = Crypter(passphrase(bench.stack.home))
    sealed = crypter.encrypt("hunter2")
    bench.configure(
        f"encryptionsalt: {crypter.salt}\n"
        f"config:\n  bench:step: 1\n  bench:password:\n    secure: {sealed}\n"
    )
    result = bench.up(
        """
        password = pulumi.Config().require_secret("password")
        Thing("a", hidden=password)
        pulumi.export("password", password)
        """
    )
    assert result.outputs == {"password": "hunter2"}, errors(result)
    assert "hunter2" not in bench.state.read_text()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("config: {bench:step: 1}\n", "missing configuration values.*bench:names"),
        ("config: {bench:names: none}\n", "'bench:names' must be of type 'array', has 'none'"),
        ("config: [1, 2]\n", "config"),
        ("config: {bench:names: [a", "cannot be read"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_key(bench, config, message):
    bench.describe("name: bench\nruntime: python\nconfig: {names: {type: array}}\n")
    bench.configure(config)
    result = bench.up('Thing("a", value="v")')
    assert result.exit_code != 0
    assert re.search(message, errors(result)), errors(result)
    assert bench.things() == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('Thing("a", opts=ResourceOptions(transforms=[lambda args: None]))', "transforms"),
        (
            """
            binding = pulumi.ResourceHookBinding(before_create=[lambda args: None])
            Thing("a", opts=ResourceOptions(hooks=binding))
            """,
            "hook",
        ),
        (
            'b = Thing("b", value="v")\nThing("a", opts=ResourceOptions(replace_with=[b]))',
            "replace_with",
        ),
        ('Thing("a", opts=ResourceOptions(replacement_trigger="x"))', "replacement_trigger"),
        ('Thing("a", opts=ResourceOptions(plugin_download_url="x"))', "plugin_download_url"),
        (
            'pulumi.runtime.register_resource_transform(lambda args: None)\nThing("a")',
            "transform",
        ),
    ],
)
def test_an_option_that_the_engine_lacks_is_refused_by_its_name(bench, text, named):
    result = bench.up(text)
    assert result.exit_code != 0
    assert named in errors(result)
    assert "a" not in bench.things()


def test_a_package_that_nothing_serves_is_named(bench):
    text = 'pulumi.CustomResource("gcp:storage/bucket:Bucket", "b", {"location": "EU"})'
    for operation in (bench.preview, bench.up):
        result = operation(text)
        assert result.exit_code != 0
        assert "no provider for package 'gcp' in the sandbox" in errors(result)


def test_targets_by_glob_leave_everything_else_alone(bench):
    bench.up('Thing("a", value="1")\nThing("b", value="1")')
    result = bench.up('Thing("a", value="2")\nThing("b", value="2")', targets=("**::a",))
    assert ops(result) == ["update a"]


def test_a_parent_chain_may_be_deep(bench):
    lines = ["parent = None"]
    lines += [f'parent = Group("g{n}", ResourceOptions(parent=parent))' for n in range(12)]
    result = bench.up("\n".join([*lines, 'Thing("a", opts=ResourceOptions(parent=parent))']))
    assert result.ok, errors(result)
    thing = next(step for step in result.steps if step.name == "a")
    assert thing.urn.split("::")[2].count("$") == 12


def test_a_program_sees_its_own_modules_anew_each_time(bench):
    (bench.project / "own.py").write_text("VALUE = 'one'\n")
    text = 'import own\npulumi.export("value", own.VALUE)'
    assert bench.up(text).outputs == {"value": "one"}
    (bench.project / "own.py").write_text("VALUE = 'two and more'\n")
    assert bench.up(text).outputs == {"value": "two and more"}


def test_errors_that_are_each_others_cause_are_told_as_others_are(bench):
    result = bench.up(
        """
        one, other = ValueError("one"), ValueError("other")
        one.__cause__, other.__cause__ = other, one
        raise one
        """
    )
    assert result.exit_code != 0
    assert "ValueError: one" in errors(result)


def test_the_surroundings_are_as_before_when_a_program_has_run(bench, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    before = dict(os.environ), Path.cwd(), list(sys.path)
    result = bench.up(
        """
        import os
        pulumi.export("profile", os.environ.get("AWS_PROFILE", "none"))
        pulumi.export("cloud", os.environ["DEMO_CLOUD"])
        os.environ["LEFT"] = "behind"
        """
    )
    assert result.outputs == {"profile": "none", "cloud": str(bench.cloud)}
    assert (dict(os.environ), Path.cwd(), list(sys.path)) == before


def test_a_stack_reference_reads_another_stack_of_the_same_home(bench):
    exports = 'pulumi.export("open", "o")\npulumi.export("hidden", pulumi.Output.secret("s3cret"))'
    assert bench.up(exports).ok
    reader = dataclasses.replace(bench.stack, name="reader")
    bench.program(
        """
        other = pulumi.StackReference("organization/bench/dev")
        pulumi.export("open", other.require_output("open"))
        pulumi.export("hidden", other.require_output("hidden"))
        """
    )
    (bench.project / "Pulumi.reader.yaml").write_text("config: {bench:step: 1}\n")
    result = bench.engine.up(reader, QUIET)
    assert result.ok, errors(result)
    assert result.outputs == {"open": "o", "hidden": "s3cret"}
    assert bench.engine.outputs(reader)["hidden"] == "[secret]"


def test_a_look_up_of_another_stack_answers_at_once(bench):
    assert bench.up('pulumi.export("open", "o")').ok
    result = bench.preview(
        """
        def look_up(name):
            return pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value

        pulumi.export("found", look_up("bench/dev")["outputs"]["open"])
        try:
            look_up("bench/none")
        except Exception as error:
            pulumi.export("missing", str(error))
        """
    )
    assert result.ok, errors(result)
    assert result.outputs["found"] == "o"
    assert "unknown stack 'bench/none'" in result.outputs["missing"]


def test_a_reference_to_a_stack_that_is_not_there_is_named(bench):
    result = bench.up('pulumi.StackReference("nobody/nowhere/none")')
    assert result.exit_code != 0
    assert "unknown stack 'nobody/nowhere/none'" in errors(result)


def test_what_the_engines_own_package_does_not_have_is_named(bench):
    result = bench.up('pulumi.runtime.invoke("pulumi:pulumi:readStackSecrets", {}).value')
    assert "unrecognized function name: 'pulumi:pulumi:readStackSecrets'" in errors(result)


def test_the_sdk_waits_for_outputs_in_linear_time(bench, monkeypatch):
    waited = []
    wait = asyncio.wait

    async def counted(tasks, **options):
        waited.append(len(tasks))
        return await wait(tasks, **options)

    monkeypatch.setattr(asyncio, "wait", counted)
    sums = []
    for number in (30, 120):
        waited.clear()
        assert bench.up(f'for n in range({number}):\n    Thing(f"t{{n}}", value="v")').ok
        sums.append(sum(waited))
    few, many = sums
    assert many <= 8 * few, f"{few} waits for 30 resources, {many} for 120"
