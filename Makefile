# songwright: the two commands are `make song PROMPT="..."` and `make test`; the rest is for the people who build it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROMPT ?= an upbeat disco song about the sea
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

.PHONY: song test check lint smoke bench clean help

help:            ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[dev,notation,plots,llm,voices]'
	@touch $@ $(VENV)/.core

song: $(VENV)/.core    ## make a song: make song PROMPT="an upbeat disco song about the sea"
	$(BIN)/songwright make "$(PROMPT)"

test: $(VENV)/.dev     ## install what the tests need and run all of them
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test       ## what CI runs: format, lint, types, tests

smoke:                 ## make song from a fresh clone
	bash .ci/smoke

clean:
	rm -rf $(VENV) build dist
