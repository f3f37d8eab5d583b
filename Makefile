# Two commands: `make demo` and `make test`. Each installs what it needs into .venv.
.PHONY: help demo test check fix bench bench-execution fuzz clean lock tools
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-input
DEMO_ARGS ?=
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 60

help: ## List targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/.base ## The main job: one market half hour on an embedded Kafka, proved
	@$(BIN)/penstock demo $(DEMO_ARGS)

test: $(VENV)/.dev ## All checks and tests
	@$(BIN)/python -m tests.run $(PYTEST_ARGS)

check: $(VENV)/.dev ## Format, lint, types, import contracts, house rules: seconds, before each commit
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && PYTHONPATH=. $(BIN)/lint-imports && $(BIN)/python -m schemas.generate --check && $(BIN)/pytest tests/tidy tests/unit

fix: $(VENV)/.dev ## Format and autofix
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## Benchmarks on the embedded broker, each beside its limit
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-execution: $(VENV)/.dev ## Strategies and routers against their naive forms; writes docs/execution-evidence.md
	@nice $(BIN)/python -m benchmarks.execution --page docs/execution-evidence.md $(BENCH_ARGS)

fuzz: $(VENV)/.dev ## Fuzz decoder, shard and FIX gateways for FUZZ_SECONDS each (guided: pip install atheris)
	@if $(BIN)/python -c 'import atheris' 2>/dev/null; then $(BIN)/python -m tests.fuzz.guided $(FUZZ_SECONDS); else $(BIN)/python -m tests.fuzz.decoder $(FUZZ_SECONDS); fi
	@$(BIN)/python -m tests.fuzz.shard $(FUZZ_SECONDS)
	@$(BIN)/python -m tests.fuzz.fix $(FUZZ_SECONDS)

clean: ## Remove the virtual environment and local state
	rm -rf $(VENV) .penstock

lock: ## Pin requirements anew from pyproject.toml (needs uv)
	uv pip compile -q pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/base.txt
	uv pip compile -q pyproject.toml --extra build --extra tools --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/tools.txt
	uv pip compile -q pyproject.toml --extra build --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt

tools: $(VENV)/.base ## Tools that prepare files: calendars of exchanges
	@$(PIP) --require-hashes -r requirements/tools.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, found $$($(PYTHON) --version)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: on Debian, apt-get install python3-venv"; exit 1; }

$(VENV)/.base: requirements/base.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing pinned requirements into $(VENV) (once)"
	@$(PIP) --require-hashes -r requirements/base.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
