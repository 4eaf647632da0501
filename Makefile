# Consent Center: everything a person types. `make help` lists the targets.

PORT ?= 8000
STATE ?= .local
FRESH ?=
NEW ?=
ONLY ?=
TESTS ?= tests

# The first Python on the path that is new enough.
PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3; do \
	found=$$($$python -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null); \
	if [ -n "$$found" ]; then echo "$$found"; break; fi; done)

# Each lock names everything, so pip has nothing to work out.
INSTALL = -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r

# All tests are divided among the processors; a part of them starts sooner in one process.
SIDE_BY_SIDE = $(if $(filter tests,$(TESTS)),-n auto --dist loadscope)

.DEFAULT_GOAL := help
.PHONY: help run build test guards screenshots bench lint texts clean python chromium

help: ## Show this list
	@echo 'make run [PORT=8000] [STATE=.local] [FRESH=1]   run everything on this computer'
	@echo 'make test [TESTS=tests/unit]                    run the tests, installing what they need'
	@echo 'make guards [ONLY=name]                          show that each guard is needed'
	@echo 'make screenshots [ONLY=name]                     pictures of pages and letters, to look at'
	@echo 'make build                                      install what run needs and build the layers'
	@echo 'make bench                                      measure speed, requests and cost'
	@echo 'make lint                                       check style and types'
	@echo 'make texts [NEW=sv]                             collect, merge and compile translations'
	@echo 'make clean                                      remove what was installed and built, but no data'

run: .venv/installed-run .venv-runtime/installed .venv-emulator/installed ## Run the local stack
	@exec .venv/bin/python -m local --port '$(PORT)' --state '$(STATE)' $(if $(filter 1,$(FRESH)),--fresh)

build: .venv/installed-run .venv-runtime/installed .venv-emulator/installed ## Build the layers for the local stack
	@.venv/bin/python -m local.build

test: .venv/installed-test .venv-runtime/installed .venv-emulator/installed .venv-checkov/installed chromium ## Run the tests
	@.venv/bin/python -m pytest $(SIDE_BY_SIDE) $(TESTS)

guards: .venv/installed-test .venv-checkov/installed ## Show that each guard is needed
	@.venv/bin/python -m tests.guards --only '$(ONLY)'

screenshots: .venv/installed-test chromium ## Take pictures of every page and letter in every mode
	@PYTHONPATH=layers/core/python .venv/bin/python -m tests.pictures --only '$(ONLY)'

bench: .venv/installed-test .venv-runtime/installed ## Measure speed, requests and cost
	@.venv/bin/python -m bench

lint: .venv/installed-test ## Check style and types
	@.venv/bin/ruff check --no-cache .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

texts: .venv/installed-test ## Collect what is said to people into the catalogues, and compile them
	@.venv/bin/python -m cli.catalogues $(NEW)

clean: ## Remove what was installed and built
	@rm -rf .venv .venv-runtime .venv-emulator .venv-checkov .build .pytest_cache .ruff_cache .mypy_cache .hypothesis

python:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed, and none was found on the path.' >&2; exit 2; }

%/bin/python: | python
	@echo 'Creating $* with $(PYTHON)'
	@'$(PYTHON)' -m venv $* || { echo 'Python cannot make virtual environments here; on Debian: apt-get install python3-venv' >&2; exit 2; }

# The local stack's own process; the functions see nothing of it.
.venv/installed-run: local/requirements.txt | .venv/bin/python
	@echo 'Installing what the local stack needs'
	@.venv/bin/python $(INSTALL) $<
	@touch $@

.venv/installed-test: tests/requirements.txt | .venv/bin/python
	@echo 'Installing what the tests need'
	@.venv/bin/python $(INSTALL) $<
	@touch $@ .venv/installed-run

# What runs the functions: no more than Lambda brings along, so that a package missing from a layer is noticed.
.venv-runtime/installed: local/runtime-requirements.txt | .venv-runtime/bin/python
	@echo 'Installing the runtime client'
	@.venv-runtime/bin/python $(INSTALL) $<
	@touch $@

.venv-emulator/installed: local/emulator-requirements.txt | .venv-emulator/bin/python
	@echo 'Installing the emulator'
	@.venv-emulator/bin/python $(INSTALL) $<
	@touch $@

.venv-checkov/installed: tests/checkov-requirements.txt | .venv-checkov/bin/python
	@echo 'Installing the security checks of the template'
	@.venv-checkov/bin/python $(INSTALL) $<
	@touch $@

# The browser for the browser tests. Without it they cannot run; everything else can.
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo 'Installing chromium'; \
			{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium >/dev/null; } \
			|| { echo 'chromium could not be installed; the browser tests need it.' >&2; exit 2; }; \
		else echo 'chromium is missing; install it for the browser tests (on Debian: apt-get install chromium).' >&2; exit 2; fi; }

# A recipe that fails leaves no half-made target behind.
.DELETE_ON_ERROR:
.PRECIOUS: %/bin/python
