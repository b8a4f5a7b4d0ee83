# What one does with Gatehouse. Each target first sets up what it needs, from Python 3.13 and make.
#
#   make run           serve the whole system on this machine, at http://localhost:3000/graphql (PORT=... for another port)
#   make test          run the tests (TESTS=... for some of them)
#   make test-long     run those that take longer: races, faults, and every bad input
#   make check         do all that CI does
#   make format        put the source in its usual form
#   make build         build what is deployed; then `sam deploy` deploys it (--config-env staging or prod for those)
#   make sam-local     serve what is deployed in SAM's containers (PORT=...); needs a container engine
#   make invoke        call one function in a container, with the event in the file EVENT=events/...
#   make conformance   run the audits of GraphQL over HTTP
#   make bench         print the figures that claims about performance rest on
#   make requirements  pin the requirements (UPGRADE=--upgrade for the newest of all)
#   make clean         remove what make has made, but for the data in .local

PORT ?= 3000
TESTS ?=
EVENT ?= events/graphql_api/health.json
UPGRADE ?=
PYTHON ?= $(shell for name in python3.13 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && { echo $$name; break; }; done)

BIN := .venv/bin
SAM := .venv-sam/bin
NODE := requirements/node
INSTALL := -m pip --disable-pip-version-check install --quiet
COMPILE := $(abspath $(BIN))/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

# What has been set up, each by a file that says so.
LOCAL := .venv/installed-local
DEV := .venv/installed-dev
SAM_CLI := .venv-sam/installed
NODE_MODULES := $(NODE)/node_modules/.package-lock.json

# SAM reads the template with the account's eyes; nothing here needs an account.
WITHOUT_ACCOUNT := env -u AWS_PROFILE -u AWS_SESSION_TOKEN AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
export SAM_CLI_TELEMETRY := 0

.DELETE_ON_ERROR:
.PHONY: help run test test-long check format lint built containers build sam-local invoke conformance bench requirements clean

help:
	@sed -n 's/^#   //p' Makefile

run: $(LOCAL)
	@PORT=$(PORT) exec $(BIN)/python -m local.gateway

test: $(DEV) $(NODE_MODULES)
	$(BIN)/pytest --numprocesses auto --dist loadgroup -m "not long" $(TESTS)

test-long: $(DEV) $(NODE_MODULES)
	$(BIN)/pytest --numprocesses auto --dist loadgroup -m long $(TESTS)

check: lint test test-long built containers

lint: $(DEV) $(SAM_CLI)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(WITHOUT_ACCOUNT) $(SAM)/sam validate --lint
	$(WITHOUT_ACCOUNT) $(SAM)/sam validate --lint --template-file examples/orders/template.yaml

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

built: build
	$(BIN)/pytest tests/built

containers: build $(NODE_MODULES)
	@if $(SAM)/python -c 'import docker; docker.from_env(timeout=5).ping()' 2>/dev/null; \
	then $(BIN)/pytest tests/containers; \
	else echo 'No container engine answers, so the journey through containers was left out.'; fi

build: $(DEV) $(SAM_CLI)
	PYTHON="$(abspath $(BIN))/python" $(WITHOUT_ACCOUNT) $(SAM)/sam build

sam-local: build $(NODE_MODULES)
	@PORT=$(PORT) exec $(BIN)/python -m local.sam serve

invoke: build $(NODE_MODULES)
	@exec $(BIN)/python -m local.sam invoke $(EVENT)

conformance: $(DEV) $(NODE_MODULES)
	$(BIN)/python tests/conformance/run.py

bench: build $(NODE_MODULES)
	$(BIN)/python -m benchmarks

requirements: $(DEV)
	cd layers/dependencies && $(COMPILE) $(UPGRADE) requirements.in --output-file requirements.txt
	cd requirements && for name in local dev sam; do $(COMPILE) $(UPGRADE) $$name.in --output-file $$name.txt || exit; done
	cd $(NODE) && PATH="$(abspath $(BIN)):$$PATH" npm install --package-lock-only

clean:
	rm -rf .venv .venv-sam .aws-sam .hypothesis .mypy_cache .pytest_cache .ruff_cache $(NODE)/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/made .venv-sam/made:
	@test -n "$(PYTHON)" || { echo 'Python 3.13 is needed, and there is none on the PATH.' >&2; exit 1; }
	$(PYTHON) -m venv $(@D)
	@touch $@

$(LOCAL): requirements/local.txt pyproject.toml | .venv/made
	@echo 'Installing what Gatehouse needs on this machine into .venv ...'
	@$(BIN)/python $(INSTALL) --require-hashes --requirement requirements/local.txt
	@$(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(LOCAL)
	@echo 'Installing what tests and checks need into .venv ...'
	@$(BIN)/python $(INSTALL) --require-hashes --requirement requirements/dev.txt
	@touch $@

$(SAM_CLI): requirements/sam.txt | .venv-sam/made
	@echo 'Installing the SAM CLI into .venv-sam ...'
	@$(SAM)/python $(INSTALL) --require-hashes --requirement requirements/sam.txt
	@touch $@

$(NODE_MODULES): $(NODE)/package-lock.json $(NODE)/.npmrc $(DEV)
	@echo 'Installing what tests need from npm ...'
	@cd $(NODE) && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent
	@touch $@
