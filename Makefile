# Everything that is done here, by name. Needs Python 3.11 or newer, git and make; the rest comes into .venv by itself.
.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint docs bench wheel format clean setup-plain setup-runtime setup-dev setup-oracles

BIN := .venv/bin
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: setup-runtime ## The example shop: checked, proved, compiled, broken and refused, then kept by sidecars
	$(BIN)/python -m tools.demo

test: setup-dev ## The fast lane: all but slow tests, foreign programs and oracles
	$(PYTEST) -m "not slow and not e2e and not oracle" $(ARGS)

test-all: setup-oracles ## Every test; MESHPROOF_SAMPLES=full draws large samples
	$(PYTEST) $(ARGS)

lint: setup-dev ## Style, format, types, who may import whom, and whether what is generated is current
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy -p meshproof -p tools -p benchmarks -p tests
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tools.grammar_table --check
	$(BIN)/python tools/generate_docs.py --check

format: setup-dev ## Mend what the linter can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

docs: setup-dev ## Write what is generated: the pages of docs/, and the parser's table
	$(BIN)/python -m tools.grammar_table
	$(BIN)/python tools/generate_docs.py

bench: setup-dev ## Every benchmark, as ratios within one run
	$(BIN)/python benchmarks/run.py $(ARGS)

wheel: setup-plain ## Build sdist and wheel into dist/ and try the wheel in an environment of its own
	tools/try_wheel.sh

clean: ## Remove what was built, but not the environment
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

setup-plain setup-runtime setup-dev setup-oracles: setup-%:
	@tools/setup.sh $*
