"""A provider plugin without a cloud: package `demo`, its things are files in the folder DEMO_CLOUD.

Both engines run it as a process. Things misbehave on request: the property `fail` names the calls
that are to fail, or says `partial`; a file `hang` in the folder makes the calls that it names wait
for its removal, a file `die` ends the process in the middle of a create.
"""

import json
import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.engine import values

REPLACES = {"kind", "label"}
INPUTS = {"value", "kind", "label", "fail", "eager", "tags", "items", "hidden", "number", "file"}


def refuse(context, message):
    context.abort(grpc.StatusCode.UNKNOWN, message)


class Demo(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, cloud):
        self.cloud = cloud

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="1.0.0")

    def Handshake(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "no handshake")

    def CheckConfig(self, request, context):
        return pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        old, new = (values.from_struct(s).get("realm") for s in (request.olds, request.news))
        changed = ["realm"] if old != new else []
        changes = pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE
        return pb.DiffResponse(changes=changes, replaces=changed, diffs=changed)

    def Configure(self, request, context):
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request, context):
        old, new = values.from_struct(request.olds), values.from_struct(request.news)
        wrong = [
            pb.CheckFailure(property=key, reason="is not a property of a thing")
            for key in new
            if key not in INPUTS
        ]
        if "label" not in new:
            name = request.urn.rsplit("::", 1)[-1]
            new["label"] = old.get("label") or f"{name}-{request.randomSeed[:3].hex()}"
        return pb.CheckResponse(inputs=values.to_struct(new), failures=wrong)

    def Diff(self, request, context):
        old = values.comparable(values.from_struct(request.old_inputs))
        new = values.comparable(values.from_struct(request.news))
        names = {key for key in INPUTS if old.get(key) != new.get(key)}
        changed = sorted(names - set(request.ignoreChanges))
        changes = pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE
        return pb.DiffResponse(
            changes=changes,
            diffs=changed,
            replaces=[key for key in changed if key in REPLACES],
            deleteBeforeReplace=bool(new.get("eager")),
        )

    def Create(self, request, context):
        inputs = values.from_struct(request.properties)
        if request.preview:
            outputs = {**inputs, "token": values.UNKNOWN}
            return pb.CreateResponse(properties=values.to_struct(with_echo(outputs)))
        self.misbehave("create", inputs, context)
        if (self.cloud / "die").exists():
            os._exit(7)
        identity = f"{request.urn.rsplit('::', 1)[-1]}-{uuid.uuid4().hex[:8]}"
        outputs = self.write(identity, inputs)
        self.give_up_halfway(identity, inputs, outputs, context)
        return pb.CreateResponse(id=identity, properties=outputs)

    def Update(self, request, context):
        inputs = values.from_struct(request.news)
        if request.preview:
            outputs = {**values.from_struct(request.olds), **inputs}
            return pb.UpdateResponse(properties=values.to_struct(with_echo(outputs)))
        self.misbehave("update", inputs, context)
        outputs = self.write(request.id, inputs)
        self.give_up_halfway(request.id, inputs, outputs, context)
        return pb.UpdateResponse(properties=outputs)

    def Read(self, request, context):
        try:
            outputs = json.loads(self.file(request.id).read_text())
        except FileNotFoundError:
            return pb.ReadResponse()
        inputs = {key: value for key, value in outputs.items() if key in INPUTS}
        self.give_up_halfway(request.id, inputs, values.to_struct(outputs), context)
        return pb.ReadResponse(
            id=request.id, properties=values.to_struct(outputs), inputs=values.to_struct(inputs)
        )

    def Delete(self, request, context):
        self.misbehave("delete", values.from_struct(request.properties), context)
        self.file(request.id).unlink(missing_ok=True)
        return empty_pb2.Empty()

    def Invoke(self, request, context):
        name = values.from_struct(request.args)["name"]
        if name == "nobody":
            refuse(context, "there is nobody of that name")
        result = {"found": f"found {name}"}
        return pb.InvokeResponse(**{"return": values.to_struct(result)})

    def Cancel(self, request, context):
        return empty_pb2.Empty()

    def file(self, identity):
        return self.cloud / f"{identity}.json"

    def write(self, identity, inputs):
        outputs = with_echo({**inputs, "token": f"token-{identity.rsplit('-', 1)[0]}"})
        self.cloud.mkdir(parents=True, exist_ok=True)
        self.file(identity).write_text(json.dumps(outputs))
        return values.to_struct(outputs)

    def misbehave(self, call, inputs, context):
        hang = self.cloud / "hang"
        while hang.exists() and call in hang.read_text():
            (self.cloud / "hanging").touch()
            time.sleep(0.02)
        if call in str(inputs.get("fail", "")).split() and not (self.cloud / "calm").exists():
            refuse(context, f"the thing refuses to {call}")

    def give_up_halfway(self, identity, inputs, outputs, context):
        if "partial" in str(inputs.get("fail", "")) and not (self.cloud / "calm").exists():
            reasons = ["the thing is there, but not ready"]
            detail = any_pb2.Any()
            detail.Pack(
                pb.ErrorResourceInitFailed(
                    id=identity,
                    properties=outputs,
                    reasons=reasons,
                    inputs=values.to_struct(inputs),
                )
            )
            code, message = grpc.StatusCode.UNKNOWN, "the thing gave up halfway"
            status = status_pb2.Status(code=code.value[0], message=message, details=[detail])
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),)
            )
            context.abort(code, message)


def with_echo(outputs):
    return {**outputs, "echo": outputs["value"]} if "value" in outputs else outputs


def serve():
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        Demo(Path(os.environ["DEMO_CLOUD"])), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve()
