"""The classes that a program uses for the package `demo`."""

import pulumi

VERSION = "1.0.0"


class Thing(pulumi.CustomResource):
    echo: pulumi.Output[str]
    token: pulumi.Output[str]
    label: pulumi.Output[str]
    value: pulumi.Output[str]

    def __init__(self, name, opts=None, **properties):
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=VERSION), opts)
        given = dict.fromkeys(["echo", "token", "label", "value"])
        super().__init__("demo:index:Thing", name, {**given, **properties}, opts)


class Provider(pulumi.ProviderResource):
    def __init__(self, name, opts=None, **properties):
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=VERSION), opts)
        super().__init__("demo", name, properties, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("demo:index:Group", name, None, opts)


def lookup(name):
    options = pulumi.InvokeOptions(version=VERSION)
    return pulumi.runtime.invoke("demo:index:lookup", {"name": name}, options).value["found"]


def lookup_output(name):
    options = pulumi.InvokeOutputOptions(version=VERSION)
    found = pulumi.runtime.invoke_output("demo:index:lookup", {"name": name}, options)
    return found.apply(lambda result: result["found"])


step = pulumi.Config().require_int("step")
