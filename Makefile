# Everything a newcomer needs: `make` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHON ?= python3.11
BIN := .venv/bin
# Python without the extension, so that the linters must be told.
PYTHON_SCRIPTS := scripts/with-postgres scripts/warm-kernels scripts/check-committed-files scripts/take-screenshots \
	scripts/train-link-model scripts/trust scripts/supply-chain fuzz/run.py fuzz/seeds.py

.PHONY: help system system-test install install-test demo run test test-spark lint trust hostile fuzz validation bench licences sbom audit \
	wheel lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: system install ## Set everything up and start the demonstration on 127.0.0.1:8000
	@$(BIN)/safelight demo

run: install ## Start the site (settings from the environment: see docs/)
	@$(BIN)/safelight serve

test: system-test install-test ## Set everything up, then all tests on SQLite, PostgreSQL and in Chromium, and the linters
	@scripts/run-tests

test-spark: install-test ## Link one set of people on DuckDB and on Spark (needs Java 17) and compare every score
	@scripts/test-spark

lint: install-test ## Check style, types and layers (ruff, mypy, import-linter, what may be committed)
	@echo "== lint"
	@$(BIN)/ruff check . $(PYTHON_SCRIPTS)
	@$(BIN)/ruff format --check . $(PYTHON_SCRIPTS)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@scripts/check-committed-files

trust: system-test install-test ## Try at full size all that is promised (hours); results to docs/validation/ (scripts/trust --list)
	@$(BIN)/python scripts/trust

hostile: system-test install-test ## Of these, evidence made to harm, and workers killed at 100 random moments (an hour)
	@$(BIN)/python scripts/trust hostile-evidence worker-kills

fuzz: system-test install-test ## Fuzz every parser of ours for SECONDS each (60), from the corpora in fuzz/corpus
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/fuzz.txt
	@$(BIN)/python fuzz/run.py --seconds $(or $(SECONDS),60)

validation: system-test install-test ## The validation pack for the Forensic Science Regulator's Code, from real runs on this machine
	@$(BIN)/python -m validation

licences: install-test ## Write docs/licences.md: under which licence each package of the locked set is used
	@$(BIN)/python scripts/supply-chain licences

sbom: install-test ## Bill of materials (CycloneDX) of the product: dist/safelight.cdx.json
	@$(BIN)/python scripts/supply-chain sbom

audit: install-test ## Ask for known weaknesses of the locked set (needs a service that knows them); exit 2 when it could not be asked
	@$(BIN)/python scripts/supply-chain audit

wheel: install-test ## Build the wheel of this commit twice, compare, install it afresh and try it: dist/
	@$(BIN)/python scripts/supply-chain wheel

bench: system-test install-test ## Measure ours beside a peer, in one run each (benchmarks/[!_]*.py)
	@shopt -s nullglob; files=(benchmarks/[!_]*.py); \
	if (($${#files[@]} == 0)); then echo "There are no benchmarks/[!_]*.py." >&2; exit 1; fi; \
	for file in "$${files[@]}"; do echo "== $$file"; $(BIN)/python "$$file"; done

system: ## Check for the Debian packages that the demo needs, and install what is missing
	@scripts/system-packages.sh demo

system-test: ## The same for the tests: also PostgreSQL, Chromium, the Sleuth Kit, ewf-tools and a font
	@scripts/system-packages.sh test

install: ## Set up .venv with the product's own requirements, each with its hash
	@scripts/install.sh base

install-test: ## Set up .venv with what the tests and linters need too
	@scripts/install.sh test

lock: ## Write requirements/*.txt anew with exact versions and hashes (needs uv; UPGRADE=1 takes newer versions)
	@scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## Remove what was built: .venv and caches; the data in var/ stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
