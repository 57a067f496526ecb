# Two commands suffice on a fresh machine with Python >= 3.11 and make:
#   make demo    the whole flow, watched from core system to receipt
#   make test    all tests
# Everything they need they set up themselves in .venv; state goes to .baosong (BAOSONG_HOME).

PYTHON ?= python3
PORT ?= 3000
PROVE ?= tests
STANDARDS := $(sort $(notdir $(wildcard validations/standards/*)))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
export BAOSONG_HOME ?= $(CURDIR)/.baosong

.PHONY: help demo dev check test coverage mutants prove bench pictures clean lock programs office

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Baosong needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Install it, or name another: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv $(VENV) || { echo "This Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(READY_DEV): $(READY) requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(READY)  ## four filings end to end, two to four minutes
	$(BIN)/python -m pipelines.demo play

dev: $(READY)  ## Dagster's UI and the stand-in servers, to click through; Ctrl-C ends all
	$(BIN)/python -m pipelines.demo serve --port $(PORT)

check: $(READY_DEV)  ## lint, types, imports, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/baosong standard check
	for standard in $(STANDARDS); do $(BIN)/baosong standard test $$standard || exit 1; done
	$(BIN)/dagster definitions validate -w workspace.yaml

programs:  # what tests need beyond pip: found, installed where that is allowed, or named
	@test -x /usr/sbin/sshd || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq openssh-server >/dev/null; } || { echo "make test needs OpenSSH's server /usr/sbin/sshd; install the package openssh-server"; exit 1; }
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null; } || { echo "make test needs PostgreSQL's programs /usr/lib/postgresql/*/bin; install the package postgresql"; exit 1; }
	@test -x /usr/bin/chromium || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || { echo "make test needs the browser /usr/bin/chromium; install the package chromium"; exit 1; }
	@ls /usr/share/fonts/*/noto/NotoSansCJK-Regular.ttc >/dev/null 2>&1 || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq fonts-noto-cjk >/dev/null; } || { echo "make test needs Chinese fonts, as the desk is read with them; install the package fonts-noto-cjk"; exit 1; }

office:  # what only the long runs need: LibreOffice saves workbooks that must read back
	@command -v soffice >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libreoffice-calc-nogui >/dev/null; } || { echo "make prove needs LibreOffice Calc's program soffice; install the package libreoffice-calc-nogui"; exit 1; }

test: $(READY_DEV) programs  ## all tests on two cores
	$(BIN)/python -m pytest -n 2 --dist loadfile tests

coverage: $(READY_DEV) programs  ## the same, twice as slow, with what no test runs
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report= tests
	$(BIN)/coverage report --skip-covered --sort=cover | tail -n 25

mutants: $(READY_DEV)  ## flip every comparison of every standard; some example must notice
	for standard in $(STANDARDS); do $(BIN)/baosong standard test $$standard --mutants || exit 1; done

prove: $(READY_DEV) programs office  ## the long runs: faults at every stage, equal packages everywhere
	$(BIN)/python -m pytest -n 2 --dist loadfile -m prove -o addopts='-q --strict-markers --import-mode=importlib' $(PROVE)

bench: $(READY_DEV)  ## figures as ratios within one run, into docs/benchmarks.md; FULL=1 with 50 million rows
	$(BIN)/python -m tests.benchmarks $(if $(FULL),--full) $(if $(ONLY),--only $(ONLY))

pictures: $(READY_DEV) programs  ## the desk's pages as they look, into docs/images/desk-*.png; look at them before you commit them
	$(BIN)/python -m pytest tests/browser/pictures.py

lock: $(READY_DEV)  ## write both locks anew
	$(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:  ## remove the environment, the demo's state and caches
	-test -d $(BAOSONG_HOME) && test -x $(BIN)/python && $(BIN)/python -m pipelines.demo stop
	rm -rf $(VENV) .baosong .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
