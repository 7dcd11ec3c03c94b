# From a fresh Debian 12 machine (python3, python3-venv, make) to a served campus: `make demo`.
# Nothing here needs another tool: pip installs uv from hashes, uv installs the rest from hashes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Debian's own Python where it will do: every user may run it, the sandbox's too, which a Python in someone's home forbids.
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo /usr/bin/python3 || echo python3)
VENV := $(CURDIR)/.venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv

# Behind TLS inspection uv must trust what the machine trusts.
export UV_SYSTEM_CERTS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A caller's own environment or settings must not leak into ours.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH

# Service accounts have no home: caches then live in the checkout.
ifneq ($(shell [ -n "$${HOME:-}" ] && mkdir -p "$$HOME/.cache" 2>/dev/null && [ -w "$$HOME/.cache" ] && echo yes),yes)
export HOME := $(CURDIR)/.tools/home
$(shell mkdir -p '$(HOME)')
endif

.PHONY: help demo test explore lint bench replay lock messages venv venv-dev browser clean

help:
	@echo 'make demo      a whole campus on this machine (PORT, CAMPUS_STATE, WEB_WORKERS)'
	@echo 'make test      every test, browser included (ARGS="tests/embedded -n 0" for a part)'
	@echo 'make explore   every property test on examples never drawn before (ROUNDS=3)'
	@echo 'make lint      ruff, mypy, djlint, import-linter, migrations, deployment checks'
	@echo 'make bench     the figures of docs/, written to .bench/'
	@echo 'make replay    real traces under five policies, written to build/replay/ (ARGS_REPLAY=--quick)'
	@echo 'make lock      compile requirements/*.in into hashed locks'
	@echo 'make messages  collect and compile the message catalogues'

# --- environment -------------------------------------------------------------------------------

# Stamps, not files of the packages: a second run costs nothing. The development lock contains the
# base lock, so a developer's environment serves the demo and is never cut down to it.
BOOTSTRAP := .venv/.bootstrap
BASE := .venv/.base
DEV := .venv/.dev

# The command line beside the programs of the environment; -P: a folder `labs` where it is called is not ours.
COMMAND := .venv/bin/campus

venv: $(BASE) $(COMMAND)
venv-dev: $(DEV) $(COMMAND)

$(COMMAND): | $(BASE)
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -P -m labs.client "$$@"\n' '$(CURDIR)' '$(PY)' > $@
	@chmod +x $@

$(BOOTSTRAP): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'error: Python 3.11 or newer is needed; name one: make PYTHON=python3.11' >&2; exit 1; }
	@[ -x $(PY) ] && $(PY) -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv \
	  || { echo 'error: venv is missing; as root run: apt-get install --yes python3-venv' >&2; exit 1; }
	@echo 'installing uv'
	@$(PY) -m pip install --quiet --require-hashes --only-binary :all: -r requirements/bootstrap.txt
	@touch $@

$(BASE): $(BOOTSTRAP) requirements/base.txt
	@if [ -e $(DEV) ]; then lock=dev; else lock=base; fi; \
	echo "installing packages ($$lock)"; \
	$(UV) pip sync --quiet --python $(PY) --require-hashes --no-build requirements/$$lock.txt
	@touch $@

$(DEV): $(BOOTSTRAP) requirements/dev.txt
	@echo 'installing packages (dev)'
	@$(UV) pip sync --quiet --python $(PY) --require-hashes --no-build requirements/dev.txt
	@touch $(BASE) $@

# --- running -----------------------------------------------------------------------------------

demo: $(BASE) $(COMMAND)
	@CAMPUS_DIE_WITH_PARENT=1 exec $(PY) -m campus.config.demo

# Debian's packages that the tests need. Installed where we may, else the command is printed and
# the tests do not start: a browser test that is skipped unseen proves nothing.
BROWSER_PACKAGES := chromium bubblewrap fonts-noto-cjk
APT_INSTALL := apt-get update && apt-get install --yes --no-install-recommends $(BROWSER_PACKAGES)

browser:
	@if command -v chromium >/dev/null && command -v bwrap >/dev/null \
	  && ls /usr/share/fonts/opentype/noto/*CJK* >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then as_root=(); \
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root=(sudo -n); \
	else echo 'error: the tests need Debian packages; as root run: $(APT_INSTALL)' >&2; exit 1; fi; \
	echo 'installing $(BROWSER_PACKAGES)'; mkdir -p .tools; \
	"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c '$(APT_INSTALL)' >.tools/apt.log 2>&1 </dev/null \
	  || { tail -n 20 .tools/apt.log >&2; echo 'error: as root run: $(APT_INSTALL)' >&2; exit 1; }

ARGS ?= -n 2 --dist loadgroup

test: $(DEV) browser
	@$(PY) manage.py compile_catalogues
	@exec $(PY) -m pytest $(ARGS)

# Each run of the tests draws the same examples; this draws others, and prints the seed of what it finds.
ROUNDS ?= 3

explore: $(DEV)
	@for round in $$(seq $(ROUNDS)); do \
	  $(PY) -m pytest -m hypothesis --hypothesis-profile=explore --hypothesis-seed=$$RANDOM -n 2; done

# Values that production demands and a check never uses.
CHECK_ENV := CAMPUS_MODE=production CAMPUS_HOSTS=campus.example CAMPUS_STATE=$(CURDIR)/.tools/check \
  DATABASE_URL=postgres://nobody@/nothing REDIS_URL=redis://127.0.0.1:1/0

lint: $(DEV)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/djlint --quiet --lint campus courses labs infra
	$(VENV)/bin/lint-imports
	@mkdir -p .tools/check
	@secret=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(60))'); set -x; \
	$(CHECK_ENV) DJANGO_SECRET_KEY=$$secret $(PY) manage.py makemigrations --check --dry-run; \
	$(CHECK_ENV) DJANGO_SECRET_KEY=$$secret $(PY) manage.py check --deploy --fail-level WARNING

bench: $(DEV)
	@exec $(PY) -m tests.bench $(ARGS_BENCH)

# The traces are not ours to hand on; ARGS_REPLAY='--traces FOLDER' says where they lie.
replay: $(BASE)
	@exec $(PY) -m labs.scheduling.replay $(ARGS_REPLAY)

# --- upkeep ------------------------------------------------------------------------------------

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: $(BOOTSTRAP)
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(COMPILE) requirements/base.in -o requirements/base.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt

# Collecting needs gettext (apt-get install gettext); compiling does not.
messages: $(DEV)
	@for folder in campus/*/locale courses/*/locale labs/*/locale infra/*/locale; do \
	  [ -d "$$folder" ] || continue; \
	  (cd "$${folder%/locale}" && $(PY) $(CURDIR)/manage.py makemessages --locale ko --no-location --no-obsolete); \
	done
	@$(PY) manage.py compile_catalogues

clean:
	rm -rf .venv .tools staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
