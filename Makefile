# Each target works from a bare checkout (Python 3.11 and Make) and is quick the second time:
# what is installed is remembered by stamp files inside $(VENV).
#
#   make demo    install the default package (no PyTorch) and animate a portrait into demo/
#   make test    install what the tests need (PyTorch included) and run them
#   make lint    ruff and mypy
#   make bench   frames per second and memory, end to end and by stage
#   make fuzz    damaged files for every reader, towards 100,000 each; stop and go on as you like
#   make sbom    write sbom.json, the bill of materials of a default install (CycloneDX)
#   make audit   ask the advisory service about the pinned versions (needs the network)
#   make wheel   build dist/*.whl
#   make clean   remove what the targets above made, the virtual environment included

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV ?= .venv
DEMO ?= demo
PYTEST_ARGS ?=
FUZZ_ARGS ?=

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -qq --constraint constraints.txt
# OpenCV as mediapipe asks for it opens windows and so needs libGL, which a bare machine has not; the headless
# build of the same version takes its place.
HEADLESS := $(INSTALL) --no-deps --force-reinstall opencv-contrib-python-headless
STAMPS := $(VENV)/stamps

.PHONY: help demo test lint bench fuzz sbom audit wheel clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   make/  make/p' Makefile

$(STAMPS)/venv:
	@"$(PYTHON)" -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v == (3, 11) else \
		"reenact needs Python 3.11, this is %d.%d; name one with: make PYTHON=/path/to/python3.11" % v)'
	@test -x $(BIN)/python || { echo "make: creating $(VENV)"; "$(PYTHON)" -m venv $(VENV); }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/base: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "make: installing reenact into $(VENV)"
	@$(INSTALL) --editable .
	@$(HEADLESS)
	@touch $@

$(STAMPS)/test: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "make: installing reenact, PyTorch and the test tools into $(VENV)"
	@$(INSTALL) --editable '.[test,train]'
	@$(HEADLESS)
	@touch $@

$(STAMPS)/lint: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "make: installing reenact and the lint tools into $(VENV)"
	@$(INSTALL) --editable '.[dev]'
	@$(HEADLESS)
	@touch $@

$(STAMPS)/audit: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "make: installing reenact and the audit tools into $(VENV)"
	@$(INSTALL) --editable '.[audit]'
	@$(HEADLESS)
	@touch $@

demo: $(STAMPS)/base
	@$(BIN)/reenact demo --output $(DEMO) --overwrite

test: $(STAMPS)/test
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(STAMPS)/lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMPS)/base
	@$(BIN)/python benchmarks/bench.py

fuzz: $(STAMPS)/test
	@nice -n 15 $(BIN)/python -m fuzz.campaign $(FUZZ_ARGS)

sbom: $(STAMPS)/audit
	@$(BIN)/python tools/sbom.py sbom.json

audit: $(STAMPS)/audit
	@$(BIN)/python tools/audit.py

wheel: $(STAMPS)/venv
	@rm -rf build
	@$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) $(DEMO) dist build .pytest_cache .mypy_cache .ruff_cache src/reenact.egg-info
