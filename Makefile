# Rightstore's tasks; `make` lists them. Needs make and Python 3.11 or newer: uv, when there is none, goes into .venv.

SHELL := /bin/sh
PYTHON ?= $(shell command -v python3 || command -v python)
APPS ?=
PORT ?= 8008
# Certificates of the machine rather than those that uv brings: the right ones behind a company's proxy.
export UV_SYSTEM_CERTS ?= 1
export UV_PYTHON_DOWNLOADS ?= never
UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/pytest -n 2 --dist loadscope

.DEFAULT_GOAL := help
.PHONY: help up down test test-servers mutants bench check lock docs clean

help:  ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, none found: install it, then try again"; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, `"$(PYTHON)" --version` found: make PYTHON=/path/to/python3.11"; exit 2; }
	@test -x "$(UV)" || { echo "installing uv into .venv"; \
	  { "$(PYTHON)" -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9'; } || { \
	  echo "uv could not be installed: see above (on Debian: apt-get install python3-venv), or install uv"; exit 2; }; }
	@echo "installing what uv.lock names into .venv"
	@"$(UV)" sync --locked --quiet --inexact --python "$(PYTHON)"
	@touch $@

up: $(READY)  ## install, then run the product on the embedded stack (PORT=8008 APPS="name …")
	@exec $(BIN)/rightstore up --port $(PORT) $(APPS)

down: $(READY)  ## stop what `make up` started
	@$(BIN)/rightstore down

test: $(READY)  ## install, then pass the tests on the embedded stack
	@$(PYTEST) -m "not servers"

test-servers: $(READY)  ## install and start the real servers, then pass the same suites against them
	@$(BIN)/python -m tests.servers run -- $(PYTEST) tests/contract tests/faults tests/laws

mutants: $(READY)  ## seed a fault against each law that is held, and see its test fail
	@$(BIN)/python -m tests.servers run --only postgres,mongodb,dynamodb,opensearch -- $(BIN)/python -m tests.mutants

bench: $(READY)  ## compare with the raw drivers; fail when an operation costs more than before
	@$(BIN)/python -m tests.servers run --only postgres,mongodb,dynamodb -- $(BIN)/python -m benchmarks

check: $(READY)  ## format, lint, types, import contracts, sizes, spelling, lock file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/typos
	"$(UV)" lock --check --quiet
	$(PYTEST) tests/architecture

lock:  ## take newer versions of the dependencies (at least a week old)
	"$(UV)" lock --upgrade

docs: $(READY)  ## run every snippet of README and docs
	@$(PYTEST) tests/docs README.md docs

clean:  ## stop the stack, then remove .venv, caches and the data of the stack
	@test ! -x $(BIN)/rightstore || $(BIN)/rightstore down
	rm -rf .venv .rightstore .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
