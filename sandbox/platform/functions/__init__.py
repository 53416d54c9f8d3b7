"""The platform's own Lambdas: a file each, packed alone; boto3 is the runtime's."""
