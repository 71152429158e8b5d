PYTHON ?= python3
BIN := .venv/bin

SCHEDULERS := .venv-schedulers

FOCUS := .venv-focus
SUPERSET := .venv-superset
NEWER_PYTHON ?= python3.12

# Some machines set it: each command that a test starts would then compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install schedulers focus-validator superset demo test test-warehouses test-long lint lint-python lint-sql bench compare compare-speed screenshots dashboard-screenshots lock clean

install: .venv/.installed

.venv/.installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Schedulers and linters whose versions do not fit ours, for the tests of docs/deploy.
schedulers: $(SCHEDULERS)/airflow/.installed $(SCHEDULERS)/tools/.installed

$(SCHEDULERS)/%/.installed: tests/deploy/%.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

# The official validator of FOCUS files, for tests/focus; it needs Python 3.12, and its numpy has no wheel for a newer one.
focus-validator: $(FOCUS)/.installed

$(FOCUS)/.installed: tests/focus/official.txt
	test -x $(@D)/bin/python || $(NEWER_PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

# Superset, for tests/superset and the pictures of its dashboards; the tests without it skip those.
superset: $(SUPERSET)/.installed

$(SUPERSET)/.installed: tests/superset/superset.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@

demo: install
	$(BIN)/claude-warehouse demo

test: install lint
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long"

# Every engine that is there, on the same nights; prints how many marts are those of DuckDB.
test-warehouses: install
	$(BIN)/python -m pytest tests/warehouse -s

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

# Marts and words of another commit beside ours, on the same data, but for tests/compare/wanted.txt or a file ALLOW.
compare: install
	$(BIN)/python -m tests.compare $(BASE) $(if $(ALLOW),--allow $(ALLOW)) $(if $(STORY),--story $(STORY))

# What a night costs beside another commit, in turn; nights and pages unless PARTS names others.
compare-speed: install
	$(BIN)/python -m tests.compare.speed $(BASE) $(PARTS) $(if $(RUNS),--runs $(RUNS))

# The README's pictures; needs Chromium (apt-get install chromium).
screenshots: demo
	$(BIN)/python -m tests.screenshots

# The pictures of docs/bi.md.
dashboard-screenshots: demo superset
	$(BIN)/python -m tests.superset

# Needs uv; writes the versions that everybody installs.
lock:
	uv pip compile pyproject.toml --extra deltalake --extra otel --extra postgres --extra pyiceberg --extra sandbox --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-strip-extras --quiet -o requirements.txt

# Needs uv; writes the hashes of the versions in these files anew, after one of them was changed by hand.
lock-tools:
	for file in tests/deploy/airflow tests/deploy/tools tests/focus/official tests/superset/superset; do \
		uv pip compile $$file.txt --no-deps --python-version 3.12 \
			--generate-hashes --no-header --no-annotate --no-strip-extras --quiet -o $$file.txt || exit 1; \
	done

clean:
	rm -rf .venv .venv-compare $(SCHEDULERS) $(FOCUS) $(SUPERSET) data .mypy_cache .pytest_cache .ruff_cache
