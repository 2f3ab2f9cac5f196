# make demo, make test, make test-long, make lint, make bench: each does its own set-up, once.

PYTHON ?= python3
# Another build of torch: make demo TORCH="torch --index-url https://download.pytorch.org/whl/cu130"
TORCH ?= torch==2.13.0

VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check install --quiet
TORCH_STAMP := $(VENV)/.torch-$(shell echo '$(TORCH)' | cksum | cut -d ' ' -f 1)
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1
# One thread a worker: two workers on two cores, the idle one takes over what the other has left.
PYTEST := $(OFFLINE) OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 --dist worksteal

.PHONY: setup demo test test-long lint bench

setup: $(VENV)/.demo

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Likewise needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

# First and alone, so that nothing else chooses the build.
$(TORCH_STAMP): $(VENV)/bin/python
	$(PIP) $(TORCH)
	@touch $@

$(VENV)/.demo: pyproject.toml $(TORCH_STAMP)
	$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(TORCH_STAMP)
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.demo

demo: setup
	$(VENV)/bin/likewise demo --out likewise-demo --overwrite

test: $(VENV)/.dev
	$(PYTEST) -m 'not slow'

test-long: $(VENV)/.dev
	$(PYTEST)

lint: $(VENV)/.dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.dev
	$(OFFLINE) $(VENV)/bin/python bench/train.py
	$(OFFLINE) $(VENV)/bin/python bench/encode.py
