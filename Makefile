# `make help` lists the targets. Each installs what it needs first, once.

# The first of these that runs, is 3.11 or newer and can make virtual environments is taken.
PYTHON ?= python3.11 python3 python3.12 python3.13
# More options for pip, for example --extra-index-url https://download.pytorch.org/whl/cpu
PIP_FLAGS ?=

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
STAMP := $(VENV)/.installed
PIP_LOG := $(VENV)/pip.log
PYTEST := $(PY) -m pytest

.DEFAULT_GOAL := help
.PHONY: help install run images test lint format cover bench ablations reliability bundle kaggle-rehearsal clean gpu-sudoku gpu-sudoku-att gpu-maze gpu-arc1 gpu-arc2 gpu-arc1-unseen gpu-arc2-unseen gpu-profile

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with the tested versions (again when they change)

$(STAMP): pyproject.toml constraints.txt
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	    chosen=; \
	    for candidate in $(PYTHON); do \
	        if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	        then chosen=$$candidate; break; fi; \
	    done; \
	    if [ -z "$$chosen" ]; then \
	        echo "error: none of '$(PYTHON)' is Python 3.11 or newer with venv; install python3.11 and python3.11-venv, or run: make install PYTHON=/path/to/python" >&2; \
	        exit 1; \
	    fi; \
	    "$$chosen" -m venv --clear $(VENV); \
	fi
	@echo "installing into $(VENV), which takes a few minutes; what pip says goes to $(PIP_LOG)"
	@$(PY) -m pip install --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[arc,dev]' >$(PIP_LOG) 2>&1 || \
	    { tail -n 20 $(PIP_LOG) >&2; echo "error: pip failed; all it said is in $(PIP_LOG)" >&2; exit 1; }
	@touch $@
	@echo "done; now: source $(VENV)/bin/activate"

run: $(STAMP) ## train on small ARC tasks, predict, score and show the answers (minutes, no GPU)
	$(PY) -m arc_solver.programs.demo

# A Sudoku that takes some ages, and a task that is no part of what the shipped weights learned from.
IMAGE_SUDOKU := .8.1.9....7..6....1.....2....14..5....42.....3......284......899.8.4........3.7..
IMAGE_TASK := 3618c87e
IMAGE_ANSWER := build/images/submission.json

images: $(STAMP) ## make the pictures of README again with the weights that ship (minutes, no GPU)
	mkdir -p docs/images $(dir $(IMAGE_ANSWER))
	$(BIN)/arc-solve watch $(IMAGE_SUDOKU) --out docs/images/thinking.gif
	$(BIN)/arc-solve predict --tasks arc1:training --only $(IMAGE_TASK) --adapt-steps 300 --out $(IMAGE_ANSWER)
	$(BIN)/arc-solve show $(IMAGE_TASK) --submission $(IMAGE_ANSWER) --out docs/images/solved.png

test: lint ## lint, then every test that is quick and needs no GPU
	$(PYTEST) -n 2 --dist loadfile -m "not slow and not gpu"

lint: $(STAMP) ## ruff (rules and format) and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## let ruff lay out the code and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cover: $(STAMP) ## coverage of augment and submission with the JIT off; fails under 95 %
	NUMBA_DISABLE_JIT=1 $(PYTEST) -m "not slow and not gpu" --cov --cov-report=term tests/augment tests/submission

bench: $(STAMP) ## the benchmarks, as a table
	$(BIN)/arc-solve bench

# More options: make ablations ABLATIONS="--seconds 10 --threads 2"
ABLATIONS ?=

ablations: $(STAMP) ## every published ablation on Sudoku 4x4 at equal time; writes docs/ablations.md (hours; resumes)
	$(PY) -m arc_solver.programs.ablations $(ABLATIONS)

# The long runs of docs/gpu.md. DATA, OUT, PIECE, GPUS, PRESET, PARTS, ARGS and DEVICE reach the script, as in
# make gpu-sudoku DATA=data PIECE=9m ARGS="--set compile=blocks"
PROGRAM = @ARC=$(BIN)/arc-solve PYTHON=$(PY) bash arc_solver/programs/gpu.sh $(@:gpu-%=%)

gpu-profile: $(STAMP) ## the step of the real recipes, figure by figure: rates and largest costs; what needs a GPU tested
	$(PROGRAM)

gpu-sudoku: $(STAMP) ## Sudoku-Extreme: train, answer, score (DATA, OUT, PIECE, GPUS; see docs/gpu.md)
	$(PROGRAM)

gpu-sudoku-att: $(STAMP) ## the same for the network with attention
	$(PROGRAM)

gpu-maze: $(STAMP) ## Maze-Hard
	$(PROGRAM)

gpu-arc1: $(STAMP) ## ARC-AGI-1 as published: train with the demonstrations of the evaluation set, answer it, score
	$(PROGRAM)

gpu-arc2: $(STAMP) ## ARC-AGI-2 as published
	$(PROGRAM)

gpu-arc1-unseen: $(STAMP) ## ARC-AGI-1 as a hidden set: train on the training set, then test-time training
	$(PROGRAM)

gpu-arc2-unseen: $(STAMP) ## ARC-AGI-2 as a hidden set
	$(PROGRAM)

# More options for the run: make reliability RELIABILITY="--rows 1,2 --write"
RELIABILITY ?=

reliability: $(STAMP) ## try every promise of docs/reliability.md at its full count and print what held (half an hour)
	$(PY) -m tests.reliability $(RELIABILITY)

# More options for build_bundle.py: make bundle BUNDLE="--weights runs/arc/final.safetensors --owner me"
BUNDLE ?=

bundle: $(STAMP) ## the folder to upload to Kaggle: wheel, weights, notebook
	$(PY) kaggle/build_bundle.py $(BUNDLE)

kaggle-rehearsal: $(STAMP) ## run the Kaggle notebook offline in both layouts, with all that can go wrong
	$(PYTEST) -rP tests/kaggle_bundle

clean: ## remove caches and build outputs; keeps .venv and runs
	rm -rf build dist htmlcov .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find arc_solver augment submission kaggle tests -name __pycache__ -type d -prune -exec rm -rf {} +
