"""Runs the program's own steps, and hands back what it built after the last registration."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.functions import function_name
from components.order_receiver import OrderReceiver, OrderReceiverArgs
from components.settings import Settings
from components.shared_platform import SharedPlatform, look_up
from lambdas import catalogue
from tests.components.recording import STACK

OURS = function_name(STACK, catalogue.WEBSOCKET)


def look_up_platform() -> SharedPlatform:
    """The look-up alone, as the program makes it."""
    return look_up(Settings.load(pulumi.Config()), function_name=OURS)


def build() -> dict[str, object]:
    """The whole stack; its outputs, after the last registration has landed."""
    resolved: dict[str, object] = {}

    @pulumi.runtime.test
    def run() -> pulumi.Output[object]:
        args = OrderReceiverArgs(
            settings=Settings.load(pulumi.Config()),
            platform=look_up_platform(),
            package=Path("dist/order-receiver.zip"),
        )
        receiver = OrderReceiver("order-receiver", args)
        return pulumi.Output.all(**receiver.outputs()).apply(resolved.update)

    run()
    return resolved
