# Everything a developer types. Needs python3 (3.11 or newer), make and git; each target sets up what it needs.

# Never spend a key that happens to lie in the environment, and never let it choose another Python.
unexport GEMINI_API_KEY GOOGLE_API_KEY GOOGLE_GEMINI_BASE_URL GOOGLE_VERTEX_BASE_URL
unexport GOOGLE_APPLICATION_CREDENTIALS GOOGLE_GENAI_USE_VERTEXAI GOOGLE_GENAI_USE_ENTERPRISE
unexport GOOGLE_CLOUD_PROJECT GOOGLE_CLOUD_LOCATION GOOGLE_CLOUD_QUOTA_PROJECT CLOUDSDK_CONFIG
unexport OPENAI_API_KEY OPENAI_BASE_URL
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
INSTALL := $(PYTHON) requirements/install.py
CORE := .venv/.installed-core
DEV := .venv/.installed-dev
CLIENTS := $(patsubst requirements/clients-%.txt,%,$(wildcard requirements/clients-*.txt))

.PHONY: demo test check test-clients live trust bench setup docs format lock clean help
.DEFAULT_GOAL := help

demo: $(CORE) ## see one image routed, bought from the offline stand-in, settled and kept
	@$(BIN)/keeprate demo

test: $(DEV) ## run the tests (PostgreSQL and the emulator start by themselves)
	@$(BIN)/pytest -q -n $(JOBS) --dist worksteal

check: $(DEV) ## lint, layers, dependencies, types, docs: fastest first
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/deptry . --no-ansi
	$(BIN)/python docs/generate.py --check
	$(BIN)/pyright
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir .cache/site

test-clients: $(DEV) $(CLIENTS:%=.cache/clients/%/.done) ## run unmodified vendor SDKs against the emulator
	@$(BIN)/pytest -q -n $(JOBS) --dist loadgroup tests/clients

live: $(DEV) ## spend real money at the real API: needs KEEPRATE_LIVE=1 and KEEPRATE_LIVE_KEY
	@$(BIN)/pytest -q -s tests/live

trust: $(DEV) ## measure every published promise at full count; call again to go on; writes docs/scoreboard.md
	@$(BIN)/python benchmarks/trust.py

bench: $(DEV) ## run the benchmarks and print their tables
	@$(BIN)/python benchmarks/trust.py --only-benchmarks

setup: $(DEV) ## make .venv with everything in it

docs: $(DEV) ## rewrite the generated reference pages
	$(BIN)/python docs/generate.py

format: $(DEV) ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(DEV) ## resolve the dependencies anew into requirements/*.txt
	$(BIN)/python requirements/lock.py --upgrade

clean: ## remove everything that can be made again
	rm -rf .venv .cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist site

# The demo needs 30 packages, the rest of the work a hundred; a full environment serves both.
$(CORE): requirements/core.txt requirements/uv.txt requirements/install.py pyproject.toml
	@if test -e $(DEV); then $(MAKE) --no-print-directory $(DEV) && touch $@; \
	else $(INSTALL) --env .venv --lock requirements/core.txt --project; fi

$(DEV): requirements/dev.txt requirements/uv.txt requirements/install.py pyproject.toml
	@$(INSTALL) --env .venv --lock requirements/dev.txt --project

.cache/clients/%/.done: requirements/clients-%.txt requirements/uv.txt requirements/install.py | $(DEV)
	@$(INSTALL) --env .cache/clients/$* --lock requirements/clients-$*.txt --uv $(BIN)/uv
	@touch $@

help:
	@$(PYTHON) -c 'import re; [print(f"make {n:14}{t}") for n, t in re.findall(r"(?m)^([a-z-]+):.*?## (.*)$$", open("Makefile").read())]'
