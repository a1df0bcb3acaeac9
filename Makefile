# Python 3.10 to 3.13 with pip is all that must be there. The first `make setup` takes the Python
# named here (`make setup PYTHON=python3.12` another one); later calls keep to what .venv has.
PYTHON ?= $(shell test -x .venv/bin/python && echo .venv/bin/python || echo python3)

# Extras beyond what set-up brings: duckdb, explore, parquet, postgres, privacy, report, spark; `make setup EXTRAS="duckdb spark"`.
EXTRAS ?=

# uv trusts what the system trusts, a company's own authority too, and brings no Python along.
export UV_SYSTEM_CERTS = 1
export UV_PYTHON_DOWNLOADS = never

sql := $(wildcard models tests/singular analyses)

# gbstats needs a numpy that Python 3.12 has no more.
ORACLE_PYTHON ?= $(shell for name in python3.11 python3.10 python3; do \
    $$name -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 10), (3, 11)))' 2>/dev/null \
    && command -v $$name && break; done)

# Airflow and Dagster are locked for these.
SCHEDULER_PYTHON ?= $(shell for name in python3.11 python3.12 python3; do \
    $$name -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null \
    && command -v $$name && break; done)
schedulers := airflow dagster

.PHONY: help setup run docs test test-fast test-all test-oracles test-recipes test-dbt-next parity lint format screenshots bench bench-engines clean lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: ## install everything pinned into .venv
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || { \
	    echo '$(PYTHON) is not Python 3.10 to 3.13; name one: make setup PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) requirements/install.py $(EXTRAS)

run: setup ## make a sample log, load and build it, and show which model is best
	@.venv/bin/python -m sample

docs: setup ## write what every table and column means as one page, target/docs.html
	@test -n "$$OUTCOMES_DB" -o -e data/sample.db || .venv/bin/python -m sample >/dev/null
	@mkdir -p target
	@OUTCOMES_DB="$${OUTCOMES_DB:-data/sample.db}" .venv/bin/loader docs --output target/docs.html

# A file's tests share what they have built, hence loadfile; tests/python/conftest.py orders the files.
pytest = .venv/bin/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: setup ## run the tests
	$(pytest)

test-fast: setup ## run the tests that start neither dbt nor a browser
	$(pytest) -m 'not slow and not dbt and not browser'

test-all: setup test-recipes ## run the slow tests too
	$(pytest) -m ''

test-oracles: setup ## hold the statistics against gbstats, in an environment of its own
ifeq ($(ORACLE_PYTHON),)
	@echo 'Skipped: gbstats needs Python 3.10 or 3.11, and none is at hand; name one: make test-oracles ORACLE_PYTHON=...'
else
	@.tools/bin/uv --quiet venv --clear --python $(ORACLE_PYTHON) .venv-oracles
	@.tools/bin/uv --quiet pip sync --python .venv-oracles/bin/python --require-hashes requirements/oracles/gbstats.txt
	OUTCOMES_ORACLE_PYTHON=.venv-oracles/bin/python .venv/bin/pytest tests/python/statistics/test_gbstats.py
endif

test-recipes: setup ## import the recipes into the schedulers that they are for, in environments of their own
ifeq ($(SCHEDULER_PYTHON),)
	@echo 'Skipped: the locked schedulers need Python 3.11 or 3.12, and none is at hand'
else
	@for scheduler in $(schedulers); do \
	    .tools/bin/uv --quiet venv --clear --python $(SCHEDULER_PYTHON) .venv-schedulers/$$scheduler && \
	    .tools/bin/uv --quiet pip sync --python .venv-schedulers/$$scheduler/bin/python --require-hashes \
	        requirements/schedulers/$$scheduler.txt || exit; done
	OUTCOMES_SCHEDULERS=.venv-schedulers .venv/bin/pytest tests/python/scheduling/test_schedulers.py
endif

test-dbt-next: setup ## build with dbt-core 1.12 on DuckDB, in an environment of its own
	@.tools/bin/uv --quiet venv --clear --python .venv/bin/python .venv-dbt-next
	@if .tools/bin/uv --quiet pip sync --python .venv-dbt-next/bin/python --require-hashes \
	    requirements/dbt_next/duckdb.txt 2>.venv-dbt-next/failure.txt; \
	then OUTCOMES_DBT_NEXT=.venv-dbt-next/bin/python .venv/bin/pytest -m '' tests/python/parity/test_dbt_next.py; \
	else echo 'Skipped: dbt-core 1.12 could not be installed; .venv-dbt-next/failure.txt says why'; fi

parity: ## compare every cell of every mart, on every engine
	@$(MAKE) --no-print-directory setup EXTRAS="postgres spark"
	.venv/bin/pytest -m '' tests/python/parity

lint: setup ## check style and types, and change nothing
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	$(if $(sql),.venv/bin/sqlfluff lint $(sql))

format: setup ## put Python and SQL into shape
	.venv/bin/ruff check --fix
	.venv/bin/ruff format
	$(if $(sql),.venv/bin/sqlfluff fix $(sql))

screenshots: setup ## take the pictures of the book anew, of the sample, with Chromium
	.venv/bin/python -m sample.screenshots

bench: setup ## measure, side by side with the alternatives
	.venv/bin/python -m benchmarks

bench-engines: ## measure builds on every engine; on PostgreSQL where OUTCOMES_POSTGRES names a server
	@$(MAKE) --no-print-directory setup EXTRAS="postgres spark"
	.venv/bin/python -m benchmarks.engines

clean: ## remove what make can make again; logs of outcomes in data/ stay
	rm -rf .venv .venv-dbt-next .venv-oracles .venv-schedulers .tools target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `make lock` keeps the pins that still fit, `make lock UPGRADE=1` renews them all.
compile = .tools/bin/uv --quiet pip compile --universal --python-version 3.10 --generate-hashes \
    --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) --output-file

lock: setup ## pin the requirements anew, for maintainers
	$(compile) requirements/bootstrap.txt --group bootstrap
	$(compile) requirements/setup.txt pyproject.toml --extra warehouse --group dev
	$(compile) requirements/duckdb.txt pyproject.toml --extra duckdb -c requirements/setup.txt
	$(compile) requirements/parquet.txt pyproject.toml --extra parquet -c requirements/setup.txt
	$(compile) requirements/postgres.txt pyproject.toml --extra postgres -c requirements/setup.txt -c requirements/duckdb.txt
	$(compile) requirements/explore.txt pyproject.toml --extra explore -c requirements/setup.txt
	$(compile) requirements/spark.txt pyproject.toml --extra spark -c requirements/setup.txt -c requirements/duckdb.txt -c requirements/postgres.txt
	$(compile) requirements/privacy.txt pyproject.toml --extra privacy -c requirements/setup.txt
	$(compile) requirements/report.txt pyproject.toml --extra report -c requirements/setup.txt
	.tools/bin/uv --quiet pip compile --python-version 3.10 --generate-hashes --custom-compile-command 'make lock' \
	    --output-file requirements/oracles/gbstats.txt --group oracles
	$(compile) requirements/dbt_next/duckdb.txt pyproject.toml --group dbt-next
	for scheduler in $(schedulers); do \
	    .tools/bin/uv --quiet pip compile --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' \
	        --output-file requirements/schedulers/$$scheduler.txt --group $$scheduler || exit; done
