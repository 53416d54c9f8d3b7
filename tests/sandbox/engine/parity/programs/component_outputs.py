"""A component's outputs are kept and may change without a change of its own.

Run: preview 1, up 1, preview 2, up 2
"""

import pulumi
from demo import Thing, step
from pulumi import ResourceOptions


class Box(pulumi.ComponentResource):
    def __init__(self, name, size, opts=None):
        super().__init__("demo:index:Box", name, {"size": size}, opts)
        child = Thing(f"{name}-a", value=str(size), opts=ResourceOptions(parent=self))
        self.register_outputs({"token": child.token, "size": size})


Box("same", 1)
Box("changed", step)
