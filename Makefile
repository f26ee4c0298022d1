# Two commands are all it takes: `make run` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Bytecode is kept for what is used and not made for what is only installed (pip's --no-compile below):
# that is 120 MB less on the disk, and a quick start all the same. The numerical libraries' own tests, which their
# packages carry along, are another 35 MB.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run models images captions web tracing plots test slow lint constraints clean

help:  ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

run: .venv/web.installed .venv/floor.made  ## Install what is needed and start Preceptor
	@$(BIN)/preceptor run

.venv/python.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Preceptor needs Python 3.11 or newer. Name one: make run PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(PIP) uninstall --yes setuptools
	@touch $@

# One rule for the base and for every extra: base, plots, models, captions, web, tracing, test.
.venv/%.installed: .venv/python.made pyproject.toml constraints.txt
	@echo 'Installing Preceptor ($*) …'
	@$(PIP) install --no-compile --constraint constraints.txt --editable '.$(EXTRAS_$*)'
	@find .venv/lib -type d -name tests \
		\( -path '*/numpy/*' -o -path '*/scipy/*' -o -path '*/sklearn/*' \) -prune -exec rm -rf {} +
	@touch $@

# What judges symptoms and looks for emergencies ships untrained: some seconds, once, and after a change to its data or code.
.venv/floor.made: $(wildcard models/diagnosis/starter/*.csv models/diagnosis/floor/*.py models/diagnosis/floor/*.txt models/evaluation/classification/calibration.py \
		models/diagnosis/red_flags/*.py models/diagnosis/red_flags/*.toml models/diagnosis/red_flags/rules/*.toml)
	@echo 'Training what judges symptoms …'
	@$(BIN)/python -m models.diagnosis.floor
	@touch $@

EXTRAS_plots := [plots]
EXTRAS_models := [models]
EXTRAS_web := [web]
EXTRAS_tracing := [tracing]
EXTRAS_captions := [captions]
EXTRAS_test := [captions,web,tracing,dev]

# The pages are tested in Chromium: the one that is there, else Debian's.
.venv/chromium.made: .venv/python.made
	@$(BIN)/python -c 'import shutil, sys; sys.exit(not any(map(shutil.which, "chromium chromium-browser google-chrome".split())))' || { \
		echo 'Installing Chromium …'; \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
		$$as_root apt-get update -qq && $$as_root apt-get install -qq --yes --no-install-recommends chromium >/dev/null; \
	} || { echo 'The pages are tested in Chromium. Install it: apt install chromium; brew install --cask chromium.' >&2; exit 1; }
	@touch $@

plots: .venv/plots.installed  ## Add the plots of calibrations and reports
models: .venv/models.installed  ## Add local models (torch, transformers)
images: .venv/models.installed  ## Add what looks at pictures: local models, and the weights that the settings name
	@$(BIN)/preceptor models pull --for images
	@$(BIN)/preceptor models pull --for captions
captions: .venv/captions.installed  ## Add what `preceptor evaluate captions` needs
web: .venv/web.installed  ## Add the web pages (`make run` does)
tracing: .venv/tracing.installed  ## Add what sends traces to an OpenTelemetry collector

lint: .venv/test.installed  ## Check style, types and the import rule
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# One worker more than cores: many tests wait for processes and sockets.
test: .venv/test.installed .venv/floor.made .venv/chromium.made  ## Run the tests, files side by side
	@$(BIN)/python -m tests.models.tiny_models
	@$(BIN)/python -m tests.models.vision.scene_captioner
	@$(BIN)/pytest --numprocesses $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') --dist loadfile

slow: .venv/test.installed .venv/floor.made .venv/chromium.made  ## Run the proofs that take long
	@$(BIN)/pytest -m slow

constraints: .venv/python.made  ## Pin anew what is installed
	@rm -rf .venv && $(MAKE) --no-print-directory .venv/python.made
	@$(PIP) install --editable '.[captions,web,tracing,dev]' torch==2.13.0
	@{ echo '# Every version that Preceptor is tested with. Made by `make constraints`.'; \
		$(BIN)/python -m pip freeze --exclude-editable --exclude setuptools | sed 's/+cpu$$//'; } > constraints.txt

clean:  ## Remove the virtual environment and caches; data/ stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
