"""An update that fails leaves the resource as it was.

Run: up 1, up 2, up 3
"""

from demo import Thing, step

Thing("a", value=f"v{step}", fail="update" if step == 2 else "")
