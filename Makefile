# make figures   the comparison of one-shot and gradual pruning, from nothing to fig/   (CONFIG=mnist for MNIST,
#                or a TOML file of your own; STUDY_FLAGS=--overwrite to make again what was made otherwise)
# make findings  figures, tables and pages of docs/findings again, from the results that the suite ships (minutes)
# make findings-from-scratch   what the literature says of pruning methods, put to the test on digits: out/, fig/findings.md (hours)
# make studies   goes on with the studies whose results are shipped, one job at a time, when nothing else wants the processor
# make test      the tests
# make torture   a crash, a failing disk and a signal at every operation of every command; damaged and forged files of every
#                format (hours; can be stopped and gone on with: what was tried lies in $(TORTURED); TORTURE_FLAGS="--every 10" for a part of it)
# make docs      the documentation as a site: site/html/index.html
# make lint      ruff and mypy
# make bench     what each measurement costs in plain forward passes, how far masks depend on chance, and whether the comparison with peers works
# make peers     curvature beside PyHessian, curvlinops and hessian-eigenthings: an hour, of a quiet machine
# Each creates .venv first if it is missing; bench and peers also .venv-peers.

PYTHON ?= python3
CONFIG ?= digits
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
STUDIES ?= mnist verdicts-mnist mnist-rate mnist-noise verdicts-shortcuts verdicts-structure mnist-lenet5 cifar
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready
TORTURED ?= /tmp/minima-torture
PEERS := .venv-peers
PEERS_BIN := $(PEERS)/bin
PEERS_READY := $(PEERS)/.ready

.PHONY: figures findings findings-from-scratch studies test torture docs lint bench peers
.DELETE_ON_ERROR:

figures: $(READY)
	@$(BIN)/python -m figures.study $(CONFIG) --cores $(CORES) $(STUDY_FLAGS)

findings: $(READY)
	@$(BIN)/python -m figures.study redraw

findings-from-scratch: $(READY)
	@$(BIN)/python -m figures.study verdicts --cores $(CORES) $(STUDY_FLAGS)

# A study that has failed jobs says so, and the next one begins.
studies: $(READY)
	@for study in $(STUDIES); do OMP_NUM_THREADS=1 nice -n 19 $(BIN)/python -m figures.study $$study --cores 1 --ship $(STUDY_FLAGS); done

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist worksteal --durations=40 --durations-min=3 $(PYTEST_FLAGS)

torture: $(READY)
	PYTHONPATH=.:tests OMP_NUM_THREADS=1 $(BIN)/python -m faults.campaign $(TORTURED) --interruptions 30 --kills 30 $(TORTURE_FLAGS)
	PYTHONPATH=.:tests OMP_NUM_THREADS=1 $(BIN)/python -m faults.ranks $(TORTURED)/ranks --count 20
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.mutants --count 10000 --state $(TORTURED)/mutants
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.damage --count 2000 --seed 0

docs: $(DOCS_READY)
	@PYTHONPATH=. $(BIN)/sphinx-build -q -W --keep-going -c docs/site docs site/html
	@echo "site/html/index.html"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) $(PEERS_READY)
	$(BIN)/python -m benchmarks.floor
	$(BIN)/python -m benchmarks.entropy
	$(BIN)/python -m benchmarks.masks
	$(BIN)/python -m benchmarks.rank_stability
	$(BIN)/python -m benchmarks.rounding
	$(BIN)/python -m benchmarks.tiles
	$(PEERS_BIN)/python -m pytest tests/landscape/test_peer_agreement.py
	$(PEERS_BIN)/python -m benchmarks.peers --quick
	$(PEERS_BIN)/python -m benchmarks.surfaces --quick

peers: $(PEERS_READY)
	$(PEERS_BIN)/python -m pytest tests/landscape/test_peer_agreement.py
	$(PEERS_BIN)/python -m benchmarks.peers $(PEERS_FLAGS)
	$(PEERS_BIN)/python -m benchmarks.surfaces
	$(PEERS_BIN)/python -m benchmarks.structured
	$(PEERS_BIN)/python -m benchmarks.picture -o docs/gallery/15-peers
	$(PEERS_BIN)/python -m benchmarks.surfaces_picture -o docs/gallery/16-surface-points

# The stamp comes last, so an installation that was interrupted begins afresh. torch first and by itself, from the
# constraint: no other package may choose its build.
$(READY): pyproject.toml constraints.txt
	@test ! -L $(VENV) || { echo "error: $(VENV) is a link: the environment behind it would be emptied. Remove the link" >&2; exit 1; }
	@echo "Creating $(VENV) (once; a few minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed, $(PYTHON) is older. Type: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || \
	  { echo "error: $(PYTHON) cannot create environments; on Debian: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet -c constraints.txt torch
	@$(BIN)/python -m pip install -qq -c constraints.txt -e '.[workflow,dev,topology,report,hf,export]'
	@touch $@

$(DOCS_READY): $(READY)
	@$(BIN)/python -m pip install -qq -c constraints.txt -e '.[docs]'
	@touch $@

# The peers come last and alone (--no-deps): what they ask for would replace torch, which is looked at after them.
$(PEERS_READY): pyproject.toml constraints.txt benchmarks/peers.txt
	@echo "Creating $(PEERS) (once; a few minutes)"
	@$(PYTHON) -m venv --clear $(PEERS)
	@$(PEERS_BIN)/python -m pip install --quiet -c constraints.txt torch
	@$(PEERS_BIN)/python -m pip install -qq -c constraints.txt -e . pytest
	@$(PEERS_BIN)/python -m pip install -qq --no-deps -r benchmarks/peers.txt
	@$(PEERS_BIN)/python -c 'import torch; print("torch==" + torch.__version__.split("+")[0])' | grep -qxf - constraints.txt || \
	  { echo "error: $(PEERS) has another torch than constraints.txt" >&2; exit 1; }
	@touch $@
