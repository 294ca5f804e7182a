# make figures   the comparison of one-shot and gradual pruning, from nothing to fig/   (CONFIG=mnist for MNIST)
# make test      the tests
# make lint      ruff and mypy
# make bench     what each measurement costs in plain forward passes
# Each creates .venv first if it is missing.

PYTHON ?= python3
CONFIG ?= digits
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: figures test lint bench
.DELETE_ON_ERROR:

figures: $(READY)
	@$(BIN)/python -m figures.workflow --config $(CONFIG) --cores $(CORES)

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) $(PYTEST_FLAGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.floor
	$(BIN)/python -m benchmarks.entropy

# The stamp comes last, so an installation that was interrupted begins afresh. torch first and by itself, from the
# constraint: no other package may choose its build.
$(READY): pyproject.toml constraints.txt
	@echo "Creating $(VENV) (once; a few minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed, $(PYTHON) is older. Type: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || \
	  { echo "error: $(PYTHON) cannot create environments; on Debian: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet -c constraints.txt torch
	@$(BIN)/python -m pip install -qq -c constraints.txt -e '.[workflow,dev]'
	@touch $@
