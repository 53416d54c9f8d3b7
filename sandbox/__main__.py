"""`python -m sandbox`: everything that a person does with the sandbox; `--help` lists it."""

from sandbox.commands import main

if __name__ == "__main__":
    main()
