# Everyday targets. Each needs Python 3.11 or newer and nothing else; they work in a local environment, .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: serve test test-deep test-clients check docs bench house bless clean

serve: $(VENV)/installed            ## install, make a data folder and a root key, serve on 127.0.0.1:9000
	@$(BIN)/trivium serve --show-secret $(SERVE)

test: $(VENV)/ready                 ## every test, set-up included
	$(PYTEST) -n 2 --dist worksteal $(TESTS)

test-deep: $(VENV)/ready            ## the long forms: fifty kills, and each machine from ten more seeds
	TRIVIUM_KILLS=50 $(PYTEST) --timeout=3600 tests/sim
	TRIVIUM_DEEP=1 $(PYTEST) tests/hostile
	for seed in 1 2 3 4 5 6 7 8 9 10; do $(PYTEST) -q --timeout=3600 --hypothesis-seed=$$seed tests/model || exit 1; done

test-clients: $(VENV)/ready         ## real clients over a socket
	$(PYTEST) tests/clients tests/docs

check: $(VENV)/ready                ## lint, types, floors, sizes, generated pages
	$(BIN)/ruff check
	$(BIN)/mypy
	$(PYTEST) tests/house

docs: $(VENV)/installed             ## write the generated pages
	$(BIN)/python -m scripts.reference > docs/reference/configuration.md
	$(BIN)/python -m scripts.pages docs/reference

bench: $(VENV)/installed            ## ratios to floors measured in the same run
	$(BIN)/trivium bench $(BENCH)

house: $(VENV)/ready                ## the sizes of the house
	$(PYTEST) -q -s tests/house/test_tidy.py

bless: $(VENV)/ready                ## record the golden transcripts again; look at the difference
	$(BIN)/python -m tests.wire.bless

clean:                              ## remove the local environment
	rm -rf $(VENV)

$(VENV)/installed: pyproject.toml
	$(PYTHON) scripts/environment.py $(VENV)
	@touch $@

$(VENV)/ready: pyproject.toml
	$(PYTHON) scripts/environment.py $(VENV) --tests
	@touch $@ $(VENV)/installed
