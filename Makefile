# Everything sets itself up: `make run` and `make test` work on a fresh machine with Python ≥ 3.11, git and make.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint types layers pytest servers bench format docs pins clean

run: $(READY)
	@$(BIN)/gitopsreg up --catalog . --path example-catalog --store .run/store --cache .run/cache

test: lint types layers pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

pytest: $(READY) servers
	$(BIN)/pytest -n auto

# Servers that tests run against.
servers:
	@tests/servers/install.sh .servers

# About a quarter of an hour. `make bench FULL=1` takes more than an hour: 100,000 packages, 200 pushes of each kind, the
# stores. In between: `make bench PUSHES=200 SIZES="1000 5000 16000 27479 100000"`. Figures land in .run/bench, pictures
# in docs/images (bench-*.svg).
PUSHES ?= $(if $(FULL),200,20)
SIZES ?= $(if $(FULL),--large,1000 5000 27479)

bench: $(READY) servers
	@mkdir -p .run/bench
	$(BIN)/python benchmarks/validate.py
	$(BIN)/python -m benchmarks.packing --json .run/bench/packing.json
	$(BIN)/python -m benchmarks.hot_path --seconds $(if $(FULL),3,1) --json .run/bench/hot_path.json
	$(BIN)/python -m benchmarks.scale $(SIZES) --json .run/bench/scale.json
	$(BIN)/python -m benchmarks.commit_to_served --apart --pushes $(PUSHES) --json .run/bench/commit_to_served.json
	$(if $(FULL),$(BIN)/python benchmarks/public_registry.py)
	$(if $(FULL),$(BIN)/python -m benchmarks.server_start)
	$(if $(FULL),$(BIN)/python -m benchmarks.store_memory s3)
	$(BIN)/python -m benchmarks.plot .run/bench

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is made from the schemas (those for editors and the reference pages), the pages of rules, and the pictures.
docs: $(READY)
	$(BIN)/python -m gitopsreg.catalog.generate .
	$(BIN)/python -m gitopsreg.catalog.rules.generate .
	$(BIN)/python docs/images/draw.py

# The pins hold exact versions and hashes, and no index address: any index that has these bytes will do.
$(READY): pyproject.toml deploy/constraints.txt
	@test -n "$(PYTHON)" || { echo "gitopsreg needs Python 3.11 or newer; name one with 'make PYTHON=/path/to/python3'" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "could not make $(VENV): on Debian and Ubuntu run 'apt-get install python3-venv'" >&2; exit 2; }
	@echo "Setting up $(VENV), once: to fetch and install $$(grep -c == deploy/constraints.txt) packages takes a minute or two …"
	@$(BIN)/pip install $$(test -t 1 || echo --quiet) --disable-pip-version-check --require-hashes -r deploy/constraints.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "$(VENV) is ready"
	@touch $@

pins:
	$(PYTHON) -m venv $(VENV)-pins
	$(VENV)-pins/bin/pip install --quiet --disable-pip-version-check uv
	$(VENV)-pins/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-config \
		pyproject.toml --group dev --output-file deploy/constraints.txt
	rm -rf $(VENV)-pins

clean:
	rm -rf $(VENV) .servers .run dist
