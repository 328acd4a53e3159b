PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
SCENARIO ?= configs/retail.yaml

.DEFAULT_GOAL := help
.PHONY: help install demo run up down status test test-all check format lint types lock docs bench clean

help: ## Show these targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

install: .venv/installed ## Make .venv and install the locked dependencies
.venv/installed: requirements.lock requirements-torch.lock requirements-torch-cpu.lock pyproject.toml infra/install.sh
	bash infra/install.sh "$(PYTHON)" && touch $@

demo: install ## Real purchases to live recommendations and back to a better release
	$(BIN)/recloop demo

run: install ## The same steps in one process, without Airflow
	$(BIN)/recloop run $(SCENARIO)

up: install ## Start the embedded services
	$(BIN)/recloop up
down: install ## Stop the embedded services; data is kept
	$(BIN)/recloop down
status: install ## Show each component with its health
	$(BIN)/recloop status

test: lint types ## Lint, types, import contracts and the tests, minutes long
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile
test-all: install ## The long tests: faults, two processes, the whole demo through Airflow
	$(BIN)/pytest -m slow -x
check: ## What CI runs
	$(MAKE) test
	$(MAKE) test-all

format: install ## Format the code
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .
lint: install ## Style and import contracts
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache
types: install ## mypy, strict
	$(BIN)/mypy
lock: install ## Resolve pyproject.toml into the lock files
	$(PIP) uv && PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python infra/lock.py
docs: install ## Write the README's command output anew
	$(BIN)/python docs/refresh.py
bench: install ## Ratios against a peer in the same run (journal, encoder), and docs/benchmarks.md from the logged runs
	$(BIN)/python -m pytest benchmarks -q -s
	$(BIN)/python benchmarks/report.py
clean: ## Remove caches (not .recloop, which holds data)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
