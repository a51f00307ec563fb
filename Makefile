# Three commands: make crawl, make test, make docs. All make .venv first, from the locked versions.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: crawl test docs reference bench wheel lock clean

crawl: .venv/ready
	@$(BIN)/scrapy crawl posters -a labels=poster

test: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# The documentation, into build/site.
docs: .venv/ready
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The pages of the documentation that say what the program says, anew.
reference: .venv/ready
	@$(BIN)/python docs/generate

# All that is compared with others: hours, and a quiet machine.
bench: .venv/ready
	@$(BIN)/python benchmarks/bench.py

# What pip installs, into dist.
wheel: .venv/ready
	@rm -rf build/lib
	@$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; give another: make PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "make: $(PYTHON) has no venv; on Debian: apt-get install python3-venv"; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@echo "installing the locked versions into .venv (3 GB, some minutes the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# For maintainers: write requirements.lock anew from pyproject.toml (needs uv).
lock:
	uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python $(BIN)/python --upgrade -o requirements.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache *.egg-info
