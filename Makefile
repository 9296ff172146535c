# Everything a person or a pipeline runs. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= python3
ENV ?= reference
MINUTES ?= 15
BIN := .venv/bin
# Node.js and the tools come from the virtual environment, before anything that the machine has.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export AWS_EC2_METADATA_DISABLED ?= true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
OUR_CODE := app.py environments stacks constructs k8s_charts ops tests
CDK := cdk --context environment=$(ENV)

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo "  ENV=<name in environments/ or path of a YAML file> chooses the environment (default: reference)"

.PHONY: setup
setup: .venv/.ready node_modules/.ready ## Virtual environment, Node.js and the pinned CDK CLI

.venv/.ready: requirements.txt requirements-dev.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@echo "Setting up the virtual environment (about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt --constraint constraints.txt
	@$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

node_modules/.ready: .venv/.ready package.json package-lock.json
	@npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: rehearse
rehearse: setup ## Deploy the environment to an AWS emulator on loopback, report, clean up
	@ha rehearse $(ENV)

.PHONY: rehearse-full
rehearse-full: setup ## The whole life: deploy, no-op, diff, update, failure, drift, new region, destroy
	@ha rehearse $(ENV) --full

.PHONY: test
test: setup ## Run the tests, but for those that need a Kubernetes control plane
	@python -m pytest -m "not cluster"

.PHONY: test-cluster
test-cluster: setup ## Run the tests against a real Kubernetes API server (built once, about 10 minutes)
	@python -m pytest -m cluster

.PHONY: check
check: setup ## Format, lint and types of our code, templates against cfn-lint, generated pages up to date
	@ruff format --check $(OUR_CODE)
	@ruff check $(OUR_CODE)
	@mypy $(OUR_CODE)
	@ha docs --check
	@ha lint $(ENV)

.PHONY: format
format: setup ## Format our code
	@ruff format $(OUR_CODE)
	@ruff check --fix $(OUR_CODE)

.PHONY: docs
docs: setup ## Generate the reference page and the JSON schema of environment files
	@ha docs

.PHONY: bench
bench: setup ## Measure synthesis: ratios to a one-queue app, peak memory, cost of 1 to 5 regions
	@ha bench

.PHONY: synth
synth: setup ## Synthesize ENV, with every validation
	@$(CDK) synth --quiet

.PHONY: diff
diff: setup ## Compare ENV with what is deployed
	@$(CDK) diff

.PHONY: deploy
deploy: setup ## Deploy ENV: the global stack, then region by region
	@$(CDK) deploy --all --require-approval broadening

.PHONY: destroy
destroy: setup ## Destroy ENV (first set deletion_protection: false and deploy)
	@$(CDK) destroy --all

.PHONY: snapshots
snapshots: setup ## Write the snapshots of templates and manifests anew, to be reviewed with the change
	@UPDATE_SNAPSHOTS=1 python -m pytest tests/stacks/test_snapshots.py

.PHONY: impact
impact: setup ## What the working tree would do to what BASE (default: main) deployed; OUT=<file> writes Markdown
	@ha impact --base $(or $(BASE),main) --environment $(ENV) --gate $(if $(OUT),--format markdown --out $(OUT))

.PHONY: comment
comment: setup ## Put the impact report (OUT) under the pull or merge request of this CI job
	@ha comment $(or $(OUT),build/impact.md) --key "impact on $(ENV)"

.PHONY: deploy-order
deploy-order: setup ## List ENV's stacks in deployment order (FORMAT=json or gitlab: for pipelines)
	@ha deploy-order $(ENV) $(if $(FORMAT),--$(FORMAT))

.PHONY: deploy-region
deploy-region: setup ## Deploy REGION of ENV (or `global`), if the regions before it are well
	@ha bake $(ENV) --before $(REGION)
	@stack="$$(ha deploy-order $(ENV) --stack $(REGION))" && \
	  $(CDK) deploy --exclusively --require-approval $(if $(CI),never --progress events,broadening) "$$stack"

.PHONY: bake
bake: setup ## Watch the alarms of REGION of ENV for MINUTES; fails when one fires
	@ha bake $(ENV) --region $(REGION) --minutes $(MINUTES)

.PHONY: drift
drift: setup ## Compare what is deployed with its stacks; fails when something was changed by hand
	@$(CDK) drift --all --fail

.PHONY: web-identity
web-identity:
	@mkdir -p "$$(dirname "$$AWS_WEB_IDENTITY_TOKEN_FILE")"
	@umask 077; printf '%s' "$$AWS_ID_TOKEN" > "$$AWS_WEB_IDENTITY_TOKEN_FILE"

.PHONY: lock
lock: setup ## Write constraints.txt anew after changing a requirement
	@$(BIN)/python -m pip freeze --exclude-editable > constraints.txt
