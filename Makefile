PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test test-long lint lint-python lint-sql bench compare screenshots lock clean

install: .venv/.installed

.venv/.installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: install
	$(BIN)/claude-warehouse demo

test: install lint
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long"

test-long: install
	$(BIN)/python -m pytest -n auto --dist load -m long

lint: install
	$(MAKE) --no-print-directory --jobs 2 lint-python lint-sql

lint-python:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

lint-sql:
	mkdir -p data/dbt
	$(BIN)/sqlfluff lint transforms --config transforms/.sqlfluff --nocolor --disable-progress-bar --processes 0

bench: install
	$(BIN)/python -m tests.bench

# Marts and words of another commit beside ours, on the same data; ALLOW: a file of wanted differences.
compare: install
	$(BIN)/python -m tests.compare $(BASE) $(if $(ALLOW),--allow $(ALLOW)) $(if $(STORY),--story $(STORY))

# The README's pictures; needs Chromium (apt-get install chromium).
screenshots: demo
	$(BIN)/python -m tests.screenshots

# Needs uv; writes the versions that everybody installs.
lock:
	uv pip compile pyproject.toml --extra sandbox --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-strip-extras --quiet -o requirements.txt

clean:
	rm -rf .venv data .mypy_cache .pytest_cache .ruff_cache
