"""`replace_on_changes` makes an update a replacement.

Run: up 1, preview 2, up 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

Thing("a", value=f"v{step}", opts=ResourceOptions(replace_on_changes=["value"]))
Thing("b", number=step, opts=ResourceOptions(replace_on_changes=["value"]))
Thing("c", number=step, opts=ResourceOptions(replace_on_changes=["*"]))
