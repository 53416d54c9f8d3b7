"""A stand-in for the app's former stack with an API of its own, for the migration to migrate.

It is no part of `make up`: the migration's tests bring it up, and `ensure_legacy` does by hand.
"""

import sys
from importlib import resources
from typing import Any

from sandbox.cloud import Cloud
from sandbox.platform.tables import STAGE

LEGACY_STACK = f"order-receiver-regional-{STAGE}"


def template() -> str:
    """The stack's CloudFormation template, as it was deployed."""
    return resources.files(__name__).joinpath("template.yaml").read_text(encoding="utf-8")


def ensure_legacy(cloud: Cloud, *, orders_stream_arn: str, name: str = LEGACY_STACK) -> Any:
    """Bring the legacy stack up where it is not there; returns its description.

    `orders_stream_arn` is the stream that its handler sends new orders from.
    """
    client = cloud.client("cloudformation")
    known = {stack["StackName"]: stack for stack in client.describe_stacks()["Stacks"]}
    if name not in known:
        client.create_stack(
            StackName=name,
            TemplateBody=template(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": "Stage", "ParameterValue": STAGE},
                {"ParameterKey": "Prefix", "ParameterValue": name},
                {"ParameterKey": "OrdersStream", "ParameterValue": orders_stream_arn},
                {
                    "ParameterKey": "Runtime",
                    "ParameterValue": f"python{sys.version_info.major}.{sys.version_info.minor}",
                },
                {"ParameterKey": "Gateway", "ParameterValue": cloud.endpoint},
            ],
        )
        client.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300}
        )
    return client.describe_stacks(StackName=name)["Stacks"][0]
