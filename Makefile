# Type `make` for the list of targets. Each target builds .venv first when it is missing or older than the lock.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
OUT ?= reports
# small linear algebra gains nothing from threads and loses much where they compete; and its last digits then do not depend on the cores
export OPENBLAS_NUM_THREADS := 1

.PHONY: help report check quick test notebooks docs data bench calibrate lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv where it is present and works, else pip; --without-pip serves systems whose python3 has no ensurepip.
.venv/.ready: requirements.lock
	@echo "Building .venv from requirements.lock"
	@rm -rf .venv
	@if command -v uv >/dev/null 2>&1 && uv venv --quiet --python $(PYTHON) .venv \
	  && uv pip install --quiet --compile-bytecode --python $(PY) --require-hashes -r requirements.lock; then :; \
	elif rm -rf .venv && $(PYTHON) -m venv .venv >/dev/null 2>&1; then \
	  $(PY) -m pip install --quiet --require-hashes -r requirements.lock; \
	else \
	  rm -rf .venv && $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --python $(PY) install --quiet --require-hashes -r requirements.lock; \
	fi
	@pwd > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/mission-strike-proximity.pth"
	@touch $@

report: .venv/.ready  ## write the report (HTML, Markdown, results.json, figures, tables) to reports/
	$(PY) -m analysis report --out $(OUT)

check: .venv/.ready  ## make the report again in a temporary folder and compare it with reports/, byte for byte
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(PY) -m analysis report --quiet --out "$$folder" \
	  && diff -rq -x notebooks -x quick reports "$$folder" && echo "reports/ is what the data and the plan give"

quick: .venv/.ready  ## the same with fewer draws, for a first look, to reports/quick/
	$(PY) -m analysis report --quick --out reports/quick

test: .venv/.ready  ## lint, types, layers, tests, notebooks, generated files
	$(PY) -m ruff check analysis tests
	$(PY) -m mypy analysis
	.venv/bin/lint-imports --no-cache
	$(PY) -m pytest -n 2 --dist loadfile -rs tests

notebooks: .venv/.ready  ## execute the notebooks into reports/notebooks/ as HTML
	.venv/bin/jupyter nbconvert --to html --execute --output-dir reports/notebooks notebooks/*.ipynb

docs: .venv/.ready  ## build the documentation site into site/
	.venv/bin/mkdocs build --quiet

data: .venv/.ready  ## validate the hand-coded facts and cross-check them against the raion polygons
	$(PY) -m analysis data

bench: .venv/.ready  ## time everything beside every peer that is installed (R's spatstat and sparr, Python's), in one table
	$(PY) tests/bench/run.py
	$(PY) tests/bench/clean.py

calibrate: .venv/.ready  ## measure size and power of every test in simulated worlds (over an hour)
	for part in primary focused timing explanations sizes; do $(PY) -m analysis calibrate $$part || exit; done

lock: .venv/.ready  ## regenerate requirements.lock (needs uv) and environment.yml from pyproject.toml
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet -o requirements.lock
	$(PY) tests/house/environment.py > environment.yml

clean:  ## remove the environment and everything that is rebuilt
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache .hypothesis reports/quick reports/notebooks
	find analysis tests -name __pycache__ -type d -prune -exec rm -rf {} +
