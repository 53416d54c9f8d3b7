"""Only what is targeted is touched.

Run: up 1, preview 2, up 2
Target: **a*
"""

from demo import Thing, step

Thing("ab", value=f"v{step}")
Thing("b", value=f"v{step}")
if step == 2:
    Thing("ac", value="new")
    Thing("d", value="new")
