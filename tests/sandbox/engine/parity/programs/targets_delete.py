"""A targeted up leaves what is not registered any more, unless it is a target.

Run: up 1, preview 2, up 2, up 1
Target: **::gone
"""

from demo import Thing, step

Thing("stays", value=f"v{step}")
if step == 1:
    Thing("gone", value="v")
    Thing("left", value="v")
