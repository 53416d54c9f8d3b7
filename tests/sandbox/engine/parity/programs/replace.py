"""A change of `kind` replaces: the new one first, then whoever uses it, the old one last.

Run: up 1, preview 2, up 2, destroy 2
"""

import pulumi
from demo import Thing, step

a = Thing("a", value="v", kind=f"k{step}")
b = Thing("b", value=a.id)
Thing("c", value="free")
pulumi.export("token", b.token)
