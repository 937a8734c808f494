# `make demo` hears the gateway talk, `make test` checks everything that it can alone, and
# `make oracles` compares what the tests know of the vendors with the vendors' own SDKs.
# Nothing has to be installed by hand but Python 3.11 and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo serve test lint types layers unit oracles fuzz schema conversations format clean

demo: .venv/installed
	$(BIN)/waav demo

serve: .venv/installed
	$(BIN)/waav serve

test: lint types layers unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

layers: .venv/installed
	$(BIN)/lint-imports

unit: .venv/installed
	$(BIN)/pytest -q -n auto

# RECORD=1 keeps what the SDKs say now; VENDORS="google openai" asks only those.
oracles: .venv/installed
	PYTHONPATH=tests $(BIN)/python -m oracles $(if $(RECORD),--record) $(VENDORS)

# A gateway is attacked while neighbours talk through it: half an hour. SEED=7 does it again.
fuzz: .venv/installed
	PYTHONPATH=tests $(BIN)/python -m fuzz --count $(or $(COUNT),1000000) $(if $(SEED),--seed $(SEED))

# The REST side is asked what its description says, other questions each time.
schema: .venv/installed
	SCHEMA_EXAMPLES=$(or $(COUNT),1000) $(BIN)/pytest -q -n auto tests/server/test_schemathesis.py --timeout 3600

# Spoken conversations in real time, five minutes; MARKDOWN=1 keeps the tables in the docs.
conversations: .venv/installed
	PYTHONPATH=tests $(BIN)/python -m conversations $(if $(MARKDOWN),--markdown)

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	# The library of an extra, for its tests, without the 300 MB that it would bring.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps pyrnnoise==0.4.5
	touch $@

clean:
	rm -rf .venv .oracles .mypy_cache .ruff_cache .pytest_cache
