"""A product of Service Catalog.

Found by: no-opaque-product
"""

import pulumi_aws as aws

aws.servicecatalog.ProvisionedProduct("chat", product_name="chat", provisioning_artifact_name="v1")
