"""What is taken over and is not as the program says is changed right after.

Run: seed, preview 1, up 1
"""

from demo import Thing
from pulumi import ResourceOptions

Thing("a", value="other", label="seeded", opts=ResourceOptions(import_="seeded"))
