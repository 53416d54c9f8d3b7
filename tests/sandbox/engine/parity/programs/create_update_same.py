"""A resource is created, updated in place and then left alone.

Run: preview 1, up 1, preview 2, up 2, up 2, destroy 2
"""

from demo import Thing, step

Thing("a", value=f"v{step}", number=step, tags={"team": "x", "step": str(step)})
Thing("b", value="still")
