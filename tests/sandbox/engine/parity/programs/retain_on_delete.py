"""A retained resource leaves the state and nothing else.

Run: up 1, preview 2, up 2, destroy 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

keep = ResourceOptions(retain_on_delete=True)
Thing("kept", kind=f"k{step}", opts=keep)
if step == 1:
    Thing("gone", fail="delete", opts=keep)
