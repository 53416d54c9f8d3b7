"""A protected resource is not replaced; unprotected in the same change, it is.

Run: up 1, preview 2, up 2, up 3
"""

from demo import Thing, step
from pulumi import ResourceOptions

Thing("a", kind=f"k{min(step, 2)}", opts=ResourceOptions(protect=step < 3))
