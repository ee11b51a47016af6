# `make demo` and `make test` do everything on a fresh machine with Python 3.11 or newer.
#
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu     the small CPU build of torch
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cu126   a build for another CUDA
#   make test PYTHON=/path/to/python3.12

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

TORCH_INDEX ?=
ARTICLE ?= examples/harbour.txt
VENV := .venv
LOWEST := .venv-lowest
DEV := [train,dev]
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH := $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' constraints.txt)
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$each"; break; }; \
	done)

.PHONY: help demo test lint format types imports pytest lowest docs build clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: $(VENV)/installed ## Install, then read a sample article, print what is in it, make a page of it
	$(BIN)/claimx extract --view $(ARTICLE)
	@mkdir -p build
	$(BIN)/claimx view $(ARTICLE) -o build/$(basename $(notdir $(ARTICLE))).html

test: lint types imports pytest ## Everything that must hold before a commit

lint: $(VENV)/installed-dev ## Style and likely bugs (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed-dev ## Mend style where that can be done by rule
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/installed-dev ## Types (mypy --strict)
	$(BIN)/mypy

imports: $(VENV)/installed-dev ## Modules import downward only; `import claimx` needs no torch
	$(BIN)/python scripts/check_imports.py

pytest: $(VENV)/installed-dev ## The tests alone
	$(BIN)/python -m pytest

lowest: ## The tests with the lowest versions that pyproject.toml allows, in .venv-lowest
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --constraint constraints-lowest.txt --editable '.$(DEV)'
	$(LOWEST)/bin/python -m pytest

docs: $(VENV)/installed-dev ## The documentation as a site, in build/docs
	$(BIN)/mkdocs build --strict

build: $(VENV)/installed-dev ## A wheel and a source archive in dist/
	$(BIN)/python -m build

clean: ## Remove the environment and every cache
	rm -rf $(VENV) $(LOWEST) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: the package in place (editable), at the versions of constraints.txt. The files
# `installed` and `installed-dev` remember when that was done; it is done again when the
# dependencies change.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "claimx needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "could not make $(VENV); on Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }

# torch comes first where an index is named for it, since that index holds little else.
define install
	$(if $(TORCH_INDEX),$(PIP) install --quiet --no-deps --index-url $(TORCH_INDEX) $(TORCH))
	$(PIP) install --quiet --constraint constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) --editable $(1)
endef

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing claimx into $(VENV) (minutes, about 1.2 GB with the CPU build of torch)"
	$(call install,.)
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing claimx with its tools for training and testing into $(VENV) (minutes)"
	$(call install,'.$(DEV)')
	@touch $@ $(VENV)/installed
