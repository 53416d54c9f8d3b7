"""An update that does only a part is done again.

Run: up 1, up 2, calm, up 2, up 2
"""

from demo import Thing, step

Thing("a", value=f"v{step}", fail="partial" if step == 2 else "")
