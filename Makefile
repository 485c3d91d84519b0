# One door. `make` alone lists the verbs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run test screenshots faults soak bench check docs lock clean python develop test-servers

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
ARGS ?=
TRIALS ?= 5000
# Programs that tests use and that only the distribution has: program=package.
TEST_SERVERS := sshd=openssh-server vsftpd=vsftpd chromium=chromium nginx=nginx-light caddy=caddy dovecot=dovecot-imapd clamd=clamav-daemon google-authenticator=libpam-google-authenticator

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: python ## make .venv, fetch the embedded servers, prove that they run
	@$(PYTHON) paperbus/local/prepare.py requirements-local.txt

run: setup ## start everything with the demo; ARGS=--once ends after the first export
	@exec $(BIN)/paperbus demo $(ARGS)

test: develop test-servers ## every test but the long ones
	@$(PYTEST) -n 3 -m "not faults and not soak" $(ARGS)

faults: develop test-servers ## the long fault loops
	@$(PYTEST) -n 2 -m faults $(ARGS)

soak: develop test-servers ## the same for hours, with other dice each time; TRIALS=5000 of each
	@export FAULT_TRIALS=$(TRIALS) FAULT_SEED="$${FAULT_SEED:-$$(date +%s)}"; echo "FAULT_SEED=$$FAULT_SEED"; \
	$(PYTEST) -m "faults or soak" $(ARGS)

bench: develop ## measure, and write bench/RESULTS.md
	@$(BIN)/python -m bench $(ARGS)

screenshots: develop test-servers ## take the pictures of the README from the running platform
	@PYTHONPATH=.:tests $(BIN)/python -m tests.console.pictures

check: develop ## lint, format, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: develop ## write schemas/published anew
	@$(BIN)/python -m paperbus.published

lock: develop ## pin the newest requirements and jars
	@$(BIN)/python -m paperbus.local.lock

clean: ## remove what make made here; the data and the cache stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What stands below is no verb.

PYTHON ?= $(shell for name in python3.12 python3.11 python3.13 python3 python3.14 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)

python:
	@test -n "$(PYTHON)" || { echo "There is no Python 3.11 or newer here: install one (Debian: apt-get install" \
		"python3 python3-venv), or name it with make PYTHON=/path/to/python." >&2; exit 1; }

develop: python
	@$(PYTHON) paperbus/local/prepare.py requirements-dev.txt

# RUNLEVEL=1 keeps Debian from starting them as services of the machine.
test-servers:
	@missing=; for pair in $(TEST_SERVERS); do \
		PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v "$${pair%%=*}" >/dev/null || missing+=" $${pair#*=}"; done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing test servers:$$missing"; \
			export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
			apt-get update -qq && apt-get install -qq -y --no-install-recommends $$missing >/dev/null; \
		else echo "*** Tests of$$missing will be SKIPPED. To run them: sudo apt-get install$$missing ***" >&2; fi; fi
