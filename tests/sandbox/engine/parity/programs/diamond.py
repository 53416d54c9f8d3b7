"""A diamond and a chain: everything after what it needs, and deleted before it.

Run: preview 1, up 1, up 2, destroy 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

top = Thing("top", value="v")
left = Thing("left", value=top.token)
right = Thing("right", value=top.token, opts=ResourceOptions(depends_on=[left]))
if step == 1:
    bottom = Thing("bottom", value=left.token, tags={"right": right.token})
    last = bottom
    for n in range(4):
        last = Thing(f"chain{n}", value=last.id)
