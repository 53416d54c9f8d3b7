"""`delete_before_replace=False` overrules a provider that asks for the delete to come first.

Run: up 1, preview 2, up 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

Thing("a", kind=f"k{step}", eager=True, opts=ResourceOptions(delete_before_replace=False))
