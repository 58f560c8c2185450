# Everything is installed below .venv; only python3 (3.11 or later, with venv) and make are needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The address that `make run` serves on.
PORT ?= 8774
# What `make run` and `make bench` put into Ironic.
NODES ?=
# Where `make bench` writes its table and its chart.
BENCH ?= build/bench
# How many processes run tests; each starts real servers of its own.
WORKERS ?= 2
# Which Ironics `make test-ironics` is about; all that are supported if empty.
IRONICS ?=

.PHONY: help venv run clients test test-ironics bench lint format samples openapi api-ref docs dist clean

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

venv: $(STAMP) ## Set up .venv: the shim, a Keystone, an Ironic, and the tools.

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[sandbox,test,bench,lint,docs]'
	touch $@

run: venv ## Serve the shim on a real Keystone and Ironic (PORT=8774 NODES=5).
	@exec $(BIN)/bm-shim sandbox --port $(PORT) --nodes $(or $(NODES),5)

clients: venv ## Install the old novaclients, each into an environment of its own below .venv/clients.
	$(BIN)/python tests/clients/environments.py $(VENV)/clients

# In the order of their names: unit tests, which are short, come last and fill what is left.
test: venv ## Run all tests.
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

bench: venv ## Measure the shim against bare requests to Ironic, some minutes (NODES=1500 BENCH=build/bench).
	cd tests && ../$(BIN)/python -m load.bench --nodes $(or $(NODES),1500) --output $(abspath $(BENCH))

test-ironics: venv ## Run a choice of the tests with each supported Ironic (IRONICS="24.1.5").
	PYTHONPATH=tests $(BIN)/python -m ironics $(IRONICS)

lint: venv ## Check style, types, and that generated files are current.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/reno lint

format: venv ## Put the code into shape.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

samples: venv ## Generate the sample configuration and policy again.
	$(BIN)/oslo-config-generator --config-file deploy/config-generator.conf
	$(BIN)/oslopolicy-sample-generator --config-file deploy/policy-generator.conf

openapi: venv ## Write api-ref/openapi.yaml again.
	$(BIN)/python api-ref/generate_openapi.py

api-ref: venv ## Build the API reference, in build/api-ref.
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees api-ref/source build/api-ref

docs: venv ## Build the operator's documentation, in build/docs.
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees-docs doc/source build/docs

dist: venv ## Build the wheel and the source distribution, in dist.
	$(BIN)/python -m build

clean: ## Remove all that make has installed.
	rm -rf $(VENV) build dist *.egg-info
