"""The default provider takes the stack's configuration of its namespace.

Run: up 1, preview 2, up 2
Config: demo:realm=realm{step}
"""

from demo import Thing

Thing("a", value="v")
