"""A data endpoint of IoT Core.

Found by: realtime-channel-beside-platform
"""

import pulumi_aws as aws

aws.iot.DomainConfiguration("live", service_type="DATA")
