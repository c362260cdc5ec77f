# Everything a person does here. `make` alone says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# Test processes at once: one per core.
JOBS ?= auto
# What pytest is given besides, such as `make test ARGS="-k matrix"`.
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
TEST_INSTALLED := $(VENV)/.test-installed

.PHONY: help install install-test run run-real test check lint types imports spelling packages servers bench bench-peers soak clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## install Crossdesk into .venv

install-test: $(TEST_INSTALLED) ## the same, with what tests and checks need

run: $(INSTALLED) ## start everything with the rehearsal; needs nothing but python3
	@$(BIN)/crossdesk run --rehearsal

run-real: $(TEST_INSTALLED) ## the same on a real Request Tracker and a real Matrix server; needs root or sudo once
	@$(BIN)/python -m tests.real

test: ## all checks and all tests, exactly as CI runs them
	@$(MAKE) -j2 install-test packages
	@$(MAKE) -j2 check servers
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

check: lint types imports spelling ## style, types, import rules and spelling

packages: | $(BIN)/python # Debian's, beside pip's
	@$(BIN)/python -m tests.servers.debian

servers: $(TEST_INSTALLED) # npm compiles for some minutes; beside the checks that costs less
	@$(BIN)/python -m tests.servers

lint: $(TEST_INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TEST_INSTALLED)
	$(BIN)/mypy

imports: $(TEST_INSTALLED)
	$(BIN)/lint-imports

spelling: $(TEST_INSTALLED)
	$(BIN)/codespell

bench: $(TEST_INSTALLED) ## the benchmarks: a table, and JSON beside it
	@$(BIN)/python -m tests.benchmarks

bench-peers: $(TEST_INSTALLED) ## the same work done by a Node-RED flow, measured beside ours
	@$(BIN)/python -m tests.benchmarks.peers

soak: $(TEST_INSTALLED) ## an hour of faults: 10,000 events, 500 faults; then kills at every pair of fault points
	@$(BIN)/python -m tests.faults --events 10000 --faults 500 --minutes 60
	CROSSDESK_FAULTS_PAIRS=all $(BIN)/python -m pytest -n $(JOBS) -o timeout=7200 tests/faults/test_points.py -k two_points

clean: ## remove what was built and installed; data in .crossdesk stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@PYTHON=$(PYTHON) .ci/venv $(VENV)

$(INSTALLED): setup.cfg pyproject.toml | $(BIN)/python
	$(PIP) install --editable .
	@touch $@

$(TEST_INSTALLED): setup.cfg pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[language,test,check]'
	@touch $(INSTALLED) $@
