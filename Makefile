# The two commands of the README: `make audit CASE=folder` and `make test`. Everything else is for developers.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
CASE ?= examples/case_folder
OUT ?=
PYTEST_ARGS ?=

.PHONY: audit test setup exiftool lint types bench clean

setup: $(VENV)/.installed exiftool

$(VENV)/.installed: setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,lint,heic,sign]'
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

test: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)
