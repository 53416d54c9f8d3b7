"""The sandbox's own `pulumi-resource-aws`: the types that programs here use, on its own cloud.

`python -m sandbox.aws` serves it as a plugin, `install.install` puts it into a PULUMI_HOME for the
real CLI, and `server.Servicer` is the same for an engine in the same process.
"""
