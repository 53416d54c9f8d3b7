"""`python -m sandbox.aws` serves the provider: a plugin that prints its port, then answers."""

from sandbox.aws.server import main

if __name__ == "__main__":
    main()
