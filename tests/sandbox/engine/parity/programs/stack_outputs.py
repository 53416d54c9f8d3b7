"""Outputs that change, come and go are no change of a resource.

Run: up 1, preview 2, up 2
"""

import pulumi
from demo import Thing, step

a = Thing("a", value="v")
pulumi.export("always", a.token)
pulumi.export(f"only{step}", [1, {"two": [3.5, True, None]}])
