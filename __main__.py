"""Puts the order receiver on the shared WebSocket API: settings, look-up, package, component."""

from functools import partial

import pulumi

from components import package
from components.functions import function_name
from components.order_receiver import OrderReceiver, OrderReceiverArgs
from components.refusal import at_once
from components.settings import Settings
from components.shared_platform import look_up
from lambdas import catalogue

settings = Settings.load(pulumi.Config())
platform, archive = at_once(
    partial(look_up, settings, function_name=function_name(settings.stack, catalogue.WEBSOCKET)),
    partial(package.find, settings.package_target, stack=settings.stack),
)
receiver = OrderReceiver(
    "order-receiver", OrderReceiverArgs(settings=settings, platform=platform, package=archive)
)
for name, value in receiver.outputs().items():
    pulumi.export(name, value)
