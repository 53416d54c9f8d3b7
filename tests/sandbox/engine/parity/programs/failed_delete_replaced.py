"""An old resource that cannot be deleted after its replacement is tried again.

Run: up 1, up 2, up 2, calm, up 2
"""

from demo import Thing, step

Thing("a", kind=f"k{step}", fail="delete")
