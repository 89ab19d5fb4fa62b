# What people type. Each target sets itself up in .venv, once: Python 3.11 or newer with venv is all it needs.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: demo test check docs bench clean

demo: .venv/.installed
	@$(BIN)/visanda demo

test: .venv/.installed-test
	@$(BIN)/pytest -n auto

check: .venv/.installed-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: .venv/.installed-docs
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: .venv/.installed
	@for script in benchmarks/*.py; do echo; echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv site demo-study

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "visanda needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv \
		|| { echo "Python's venv is missing; on Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@touch $@

# A stamp a set of extras, made anew when pyproject.toml changes.
.venv/.installed: pyproject.toml .venv/.made
	@echo "Installing visanda into .venv ..."
	@$(PIP) --editable .
	@touch $@

.venv/.installed-%: pyproject.toml .venv/.made
	@echo "Installing visanda with what 'make $*' needs into .venv ..."
	@$(PIP) --editable ".[$*]"
	@touch $@
