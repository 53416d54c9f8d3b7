# Everything a person types. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
STACK  ?= sandbox
# A machine that forbids byte code would pay for every import again.
unexport PYTHONDONTWRITEBYTECODE

RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev

define set_up
	@test -e $(RUN_READY) || { echo "make $@: nothing is set up here; run: make up" >&2; exit 1; }
endef

##@ The sandbox: everything on this machine, no account

.PHONY: up
up: $(RUN_READY) ## Build, start the sandbox, preview, deploy and prove it
	@$(PY) -m sandbox up --yes --prove

.PHONY: preview
preview: $(RUN_READY) ## Show what `make up` would change
	@$(PY) -m sandbox preview

.PHONY: status
status: ## Say what runs, what is deployed and what a client needs
	$(set_up)
	@$(PY) -m sandbox status

.PHONY: outputs
outputs: ## Print the stack's outputs as one JSON object
	$(set_up)
	@$(PY) -m sandbox outputs --json

.PHONY: verify
verify: ## Use the deployed sandbox stack as its apps do, and say step by step what holds
	$(set_up)
	@outputs="$$($(PY) -m sandbox outputs --json)"; \
	  $(PY) -m ops verify --outputs - --token-command "$(PY) -m sandbox token {name}" <<< "$$outputs"

.PHONY: down
down: ## Destroy the stack and stop every process that `make up` started
	@if [ -e $(RUN_READY) ]; then $(PY) -m sandbox down --yes; else echo "make down: nothing is set up here"; fi

##@ Work on the code

.PHONY: package
package: $(RUN_READY) ## Build the Lambda package of the stack STACK (default: sandbox)
	@$(PY) -m components.package --stack $(STACK)

.PHONY: test
test: $(DEV_READY) ## Run all tests
	@$(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

.PHONY: check
check: $(DEV_READY) ## Formatter, linter and type checker
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/basedpyright

.PHONY: format
format: $(DEV_READY) ## Format the code and fix what the linter can
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

.PHONY: docs
docs: $(DEV_READY) ## Generate docs/protocol.md, docs/policies.md and the schemas anew
	@$(PY) -m lambdas.reference
	@$(PY) -m policies docs

.PHONY: parity
parity: $(DEV_READY) ## Compare the built-in engine with the Pulumi CLI, step by step
	@$(PY) -m pytest tests/sandbox/engine/parity -m cli $(ARGS)

.PHONY: bench
bench: $(DEV_READY) ## Run the benchmarks (ratios against peers and floors, in one run)
	@$(PY) -m bench

.PHONY: lock
lock: $(DEV_READY) ## Resolve requirements*.in anew into requirements*.txt
	@$(PY) -m pip install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements-lambda.in -o requirements-lambda.txt
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -c requirements-lambda.txt requirements.in -o requirements.txt
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -c requirements-lambda.txt requirements-dev.in -o requirements-dev.txt

.PHONY: clean
clean: ## Remove what builds and tests made (not the sandbox, not .venv)
	rm -rf dist build reports .pytest_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The virtual environment. A stamp is written only when everything is in, so that a broken-off install is
# taken up again by the next run. Two runs at once wait for each other, and Ctrl-C leaves no traceback.
ALONE := -c 'import fcntl, os, runpy, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); \
  fcntl.flock(os.open(".", os.O_RDONLY), fcntl.LOCK_EX); \
  del sys.argv[0]; runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)'

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + "; choose another: make PYTHON=python3.12 ...")'
	@$(PYTHON) $(ALONE) venv $(VENV) || { echo "make: could not create $(VENV) with $(PYTHON) -m venv (on Debian: apt install python3-venv)" >&2; exit 1; }

define install
	@echo "installing $(1) into $(VENV) ..."
	@$(PY) $(ALONE) pip install --quiet --disable-pip-version-check --no-compile --require-hashes --retries 2 -r $(1) \
	  || { echo "make: could not install $(1): is the Python package index reachable? (pip config list shows which one is used)" >&2; exit 1; }
	@touch $@
endef

$(RUN_READY): requirements.txt | $(VENV)/bin/pip
	$(call install,requirements.txt)

$(DEV_READY): requirements-dev.txt | $(VENV)/bin/pip
	$(call install,requirements-dev.txt)
	@touch $(RUN_READY)
