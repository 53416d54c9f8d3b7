"""An advisory violation is told and stops nothing.

Run: preview 1, up 1
Pack: rules
"""

from demo import Thing

Thing("a", value="poor")
