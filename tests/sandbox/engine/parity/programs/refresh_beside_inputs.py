"""What a refresh finds beside what the program asks for is taken over, and is no change.

Run: seed, up 1, drift, refresh 1, preview 1, up 1
"""

import pulumi
from demo import Thing

touched = Thing("touched", value="v")
Thing("changed-unseen", value="v", opts=pulumi.ResourceOptions(ignore_changes=["value"]))
Thing("after", value=touched.token, opts=pulumi.ResourceOptions(ignore_changes=["value"]))
Thing("seeded", opts=pulumi.ResourceOptions(id="seeded"))
