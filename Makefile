# Every verb of the project. `make help` lists them; each does its own set-up, so a fresh clone needs only Python and make.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench docs dev lock clean

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The first Python on the path that is new enough; `make PYTHON=python3.13 test` takes another one.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV_VERSION := 0.13.9
PYTEST ?= $(BIN)/pytest
PYTEST_ARGS ?= -n 2

# Without compiled bytecode every start takes three times as long.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1

help: ## List the verbs
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-6s %s\n", $$1, $$2}'

demo: $(INSTALLED) ## Fill a small database, make the demo report through Dagster, print where the page is
	$(BIN)/kpi-assets demo

test: $(INSTALLED) ## All tests that need no server
	$(PYTEST) $(PYTEST_ARGS) -m "not postgres and not mariadb and not browser and not ssh and not prometheus and not celery"

lint: $(INSTALLED) ## ruff, import rules, types, bandit; all of them, even after a failure
	@failed=0; for check in "ruff check" "ruff format --check" "lint-imports" "pyright" "bandit -q -c pyproject.toml -r kpi_assets"; do \
		echo "$$check"; $(BIN)/$$check || failed=1; done; exit $$failed

bench: $(INSTALLED) ## Measure against KPI Reporter, print the table, save the JSON
	$(BIN)/python -m benchmarks

docs: $(INSTALLED) ## Write the reference pages from the code
	$(BIN)/python -m scripts.docs

dev: $(INSTALLED) ## Dagster's UI on the demo report
	$(BIN)/kpi-assets dev

lock: $(INSTALLED) ## Lock the newest allowed dependencies into requirements/dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra all --group test --group lint --universal --generate-hashes \
		--upgrade --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet -o requirements/dev.lock

clean: ## Remove the environment, caches and everything made
	rm -rf $(VENV) .kpi_assets _build build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none is on the path: install it, or make PYTHON=/path/to/python"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@
