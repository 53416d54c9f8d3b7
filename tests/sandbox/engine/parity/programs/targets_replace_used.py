"""A target that is replaced, delete first, while something outside the targets uses it.

Run: up 1, preview 2, up 2, up 1
Target: **::target
"""

from demo import Thing, step
from pulumi import ResourceOptions

target = Thing("target", kind=f"k{step}", opts=ResourceOptions(delete_before_replace=True))
Thing("user", kind=target.id)
