# `make run` and `make test` are all a newcomer needs. Everything is fetched into this folder; nothing is installed elsewhere
# (but for Chromium and nginx, which `make test` asks the system's package manager for when there are none).

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
UV := $(BIN)/uv pip install --compile-bytecode --require-hashes
SAY := printf '\033[1m%s\033[0m\n'

.PHONY: help run test check prove format lock train parity clean

# Wherever this runs: what Python compiled once is kept, for the server that a test starts as for the next test.
export PYTHONDONTWRITEBYTECODE :=

help:
	@echo 'make run    serve the child page and the console on this machine, with a demo gemeente'
	@echo 'make test   everything CI runs: style, types, imports, texts, unit, both databases, browser'
	@echo 'make check  the quick part of it: style, types, imports, texts'
	@echo 'make prove  the long proofs, whole: kill rounds, state machines, each promise broken, speed beside Rasa'
	@echo 'make train  train the language model with Rasa (fetches about 2 GB the first time)'
	@echo 'make parity ask Rasa itself whether the bot answers as it does, on every sentence we have'

run: .venv/.run .venv/.bundles
	@$(BIN)/praat run

test: check .venv/.browser
	@$(SAY) 'Tests on SQLite and PostgreSQL'
	@$(BIN)/pytest -n 2 --dist worksteal --ignore=tests/browser
	@$(SAY) 'Tests in the browser'
	@$(BIN)/pytest -n 3 --dist worksteal tests/browser

check: .venv/.test .venv/.bundles
	@$(SAY) 'Style, types, imports, texts'
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy & types=$$!; { $(BIN)/lint-imports --no-logo && $(BIN)/praat check; }; rest=$$?; wait $$types && exit $$rest

# `make test` runs each of these small. Beside whom the speed is measured, Rasa, is fetched as for `make train`.
prove: .venv/.test .venv/.bundles
	@$(SAY) 'The long proofs, whole'
	@PRAAT_PROOF=whole $(BIN)/pytest -n 2 --dist worksteal -m proof
	@$(SAY) 'Each promise, broken on purpose, is noticed'
	@$(BIN)/python -m bench.break_promises
	@for name in turn waiting streams silent flood kill; do $(SAY) "The bars of bench/$$name.py"; $(BIN)/python -m bench.$$name || exit 1; done

format: .venv/.test
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

train: .venv/.test
	@$(BIN)/python -m nlu.training.train

parity: .venv/.test
	@$(SAY) 'The carried model against Rasa itself'
	@$(BIN)/python -m nlu.training.prove

lock: .venv/.uv
	@for f in uv node run test; do $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		-o requirements/$$f.txt requirements/$$f.in || exit 1; done

clean:
	rm -rf .venv .rasa-venv node_modules handoff/console/static/vendor handoff/console/static/built bot/channels/web/built .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.uv: requirements/uv.txt
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed; none was found. Install it, or say: make PYTHON=/path/to/python3'; exit 1; }
	@$(SAY) 'Making .venv with $(PYTHON)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo 'Python could not make a virtual environment (on Debian: apt-get install python3-venv).'; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.run: .venv/.uv requirements/run.txt pyproject.toml
	@$(SAY) 'Fetching the packages that the bot needs'
	@$(UV) -r requirements/run.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q bot nlu handoff config -x rasa
	@touch $@

.venv/.test: .venv/.run requirements/test.txt
	@$(SAY) 'Fetching the packages that the tests need'
	@$(UV) -r requirements/test.txt
	@touch $@

# What runs in a browser: esbuild, the console's stylesheets (NL Design System) and axe-core come from npm; where there is no npm,
# Node.js comes as a wheel.
.venv/.npm: .venv/.run package-lock.json
	@$(SAY) 'Fetching the bundler and the stylesheets'
	@command -v npm >/dev/null 2>&1 || $(UV) -r requirements/node.txt
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(BIN)/python -m handoff.console.vendor
	@touch $@

.venv/.bundles: .venv/.npm package.json $(wildcard bot/channels/web/browser/*.js bot/channels/web/page/*.css handoff/console/browser/*.js)
	@$(SAY) 'Bundling the scripts of the pages'
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm run --silent build
	@touch $@

.venv/.browser: .venv/.test
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m tests.nginx
	@touch $@
