# From nothing to a running demo or a passed test: needs Linux, make and Python 3.11 or newer, and fetches the rest.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
PYTEST_ARGS ?=
WORKERS ?= 5
# Of the long tests `make test` leaves out one in so many, another one at each commit; 0: none.
LEAVE_OUT ?= 2

# Tests start hundreds of processes: where Python may not keep what it compiled, each of them compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test chaos everything bench lint lint-style lint-format lint-types lint-rooms compiled format reference step clean system-tools

help:   ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.demo   ## a hub, virtual devices and head office on this machine, to try (DEMO_ARGS="--headless --listen 127.0.0.1:5050")
	@$(BIN)/outpost demo $(DEMO_ARGS)

test: system-tools $(VENV)/.dev   ## all that is checked, but for half of the long tests, another half at each commit (LEAVE_OUT=0 PYTEST_ARGS="-k store")
	@status=0; \
	$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target lint compiled || status=1; \
	TESTS_LEAVE_OUT=$(LEAVE_OUT) $(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not bench" $(PYTEST_ARGS) || status=1; \
	exit $$status

chaos: system-tools $(VENV)/.dev   ## all of the kills, power cuts and corruptions; takes long
	TESTS_ALL=1 $(BIN)/pytest -m chaos --timeout 7200 $(PYTEST_ARGS)

everything: system-tools $(VENV)/.dev   ## all tests in full, those of the centre over both databases; takes hours
	TESTS_ALL=1 $(BIN)/pytest -n 2 -m "not bench" --timeout 7200 $(PYTEST_ARGS)

bench: $(VENV)/.dev   ## measure; the figures of docs/performance.md
	$(BIN)/pytest -m bench --timeout 3600 -s $(PYTEST_ARGS)

lint: lint-style lint-format lint-types lint-rooms   ## style, format, types, and who imports whom

lint-style: $(VENV)/.dev
	$(BIN)/ruff check

lint-format: $(VENV)/.dev
	$(BIN)/ruff format --check

lint-types: $(VENV)/.dev
	$(BIN)/mypy

lint-rooms: $(VENV)/.dev
	$(BIN)/lint-imports

# In a fresh clone, once and beside the types, so that not every worker does it for itself.
compiled: $(VENV)/.dev
	@[ -d tests/__pycache__ ] || $(BIN)/pytest --collect-only -q >/dev/null || true # the tests' own run says what is wrong

format: $(VENV)/.dev   ## put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

reference: $(VENV)/.dev   ## write the generated tables in docs/reference anew
	$(BIN)/python -m tests.architecture.reference_pages

step: $(VENV)/.dev   ## draft the migration that the models of the centre lack (NAME=what_it_does)
	$(BIN)/python -m cloud.db.schema "$(NAME)"

clean:   ## remove what these commands made, the environment too
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

system-tools:
	@.ci/system-tools

$(VENV)/.demo: pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" .ci/setup $(VENV) demo
	@touch $@

$(VENV)/.dev: pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" .ci/setup $(VENV) dev
	@touch $@ $(VENV)/.demo
