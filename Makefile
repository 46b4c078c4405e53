# Every target makes the environment it needs, from pinned requirements, and says what it does.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DIALECTS := .venv-dialects
FUSION := .venv-fusion
# The wheel of dbt 2.0 has no DuckDB in it. This npm package is DuckDB's own library.
FUSION_DUCKDB := @duckdb/node-bindings-linux-x64@1.5.6-r.1
DBT := $(BIN)/dbt
# Every warning is an error, but for tests that only warn (severity: warn).
DBT_FLAGS := --profiles-dir . --warn-error-options '{"error": "all", "warn": ["LogTestResult"]}'
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help build test test-deep test-spark test-spark-units test-fusion dialects check lint fix demo pages docs bench validate example-online-retail example-retailrocket example-cdnow clean

help:
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 26

build: $(VENV)/build.done ## build the demo shop into warehouse/mailroom.duckdb
	$(DBT) build $(DBT_FLAGS) --exclude-resource-type unit_test
	@$(BIN)/mailroom show

test: $(VENV)/dev.done ## every test on DuckDB except the deep ones, in two processes
	$(BIN)/pytest -q -m "not spark and not deep" -p no:cacheprovider -n 2 --dist loadfile --no-loadscope-reorder --durations=15

test-deep: $(VENV)/dev.done ## random worlds, kills, real data, many shops (a seventh took ten minutes)
	$(BIN)/pytest -q -m "deep and not spark" -p no:cacheprovider -n 2 --dist loadfile tests/trust tests/activation tests \
		--durations=15

test-spark: $(VENV)/dev.done ## the demo on Spark beside DuckDB, value by value (needs Java)
	$(BIN)/pytest -q -m spark -p no:cacheprovider

test-spark-units: $(VENV)/dev.done ## the same with all unit tests on Spark, half of the time there
	MAILROOM_SPARK_UNIT_TESTS=1 $(BIN)/pytest -q -m spark -p no:cacheprovider

test-fusion: $(FUSION)/done $(VENV)/dev.done ## parse and build the demo with dbt 2.0 (needs npm, Linux on x86-64); once it is there, make test-deep does too
	$(BIN)/pytest -q tests/engines/test_fusion.py

dialects: $(DIALECTS)/done $(VENV)/dev.done ## compile for Snowflake and BigQuery and parse the SQL; once it is there, make test-deep does too
	$(BIN)/pytest -q tests/engines/test_dialects.py

check: $(VENV)/dev.done ## format, lint of what changed, types, the fast tests: before each commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@changed=$$(git diff HEAD --name-only --diff-filter=d -- 'models/*.sql' 'tests/*.sql' 'analyses/*.sql'); \
	if [ -n "$$changed" ]; then $(BIN)/sqlfluff lint $$changed --disable-progress-bar; fi
	$(BIN)/pytest -m "not slow and not deep and not spark" -q

lint: $(VENV)/dev.done ## lint every file (sqlfluff compiles each model: some minutes)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint models tests --disable-progress-bar

fix: $(VENV)/dev.done ## format Python and SQL
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix models tests --disable-progress-bar

demo: $(VENV)/build.done ## write the demo shop's seeds again
	$(BIN)/mailroom demo --customers 1000 --days 540 --seed 7 --to seeds/demo --format seeds

pages: $(VENV)/build.done ## write the pages and the picture of the docs that are made of the project, after make build
	$(BIN)/python tests/architecture/contract_page.py
	$(BIN)/python tests/architecture/tables_page.py
	$(BIN)/mailroom card c_a7ad97892c3327cd --to docs/customer.svg

validate: $(VENV)/build.done ## check the public tables against the field dictionary
	$(BIN)/mailroom validate

docs: $(VENV)/build.done ## one page with every table and column, to open in a browser
	$(DBT) docs generate --profiles-dir . --static
	@echo "Open $(CURDIR)/target/static_index.html"

bench: $(VENV)/bench.done ## speed and accuracy against named peers; writes benchmarks/report.md and docs/scale.md
	$(BIN)/python -m benchmarks

example-online-retail: $(VENV)/build.done ## a real gift shop's 541,909 invoice lines
	$(BIN)/python -m examples.run online_retail

example-retailrocket: $(VENV)/build.done ## a real click stream
	$(BIN)/python -m examples.run retailrocket

example-cdnow: $(VENV)/build.done ## the orders that models of purchases are published on
	$(BIN)/python -m examples.run cdnow

clean: ## remove what builds of the demo make; not the environment, nor a warehouse or data of your own
	rm -rf target logs gx data/demo warehouse/mailroom.duckdb warehouse/mailroom.duckdb.wal warehouse/mailroom-activation warehouse/mailroom-published warehouse/spark

$(VENV)/build.done: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements (about a minute) …"
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/dev.done: requirements-dev.txt requirements-spark.txt requirements-splink.txt requirements-dns.txt requirements-content.txt $(VENV)/build.done
	@echo "Installing what the tests need (about a minute) …"
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -r requirements-spark.txt \
		-r requirements-splink.txt -r requirements-dns.txt -r requirements-content.txt
	@touch $@

$(DIALECTS)/done: requirements-dialects.txt
	$(PYTHON) -m venv $(DIALECTS)
	@echo "Installing two more adapters and Sail (1 GB, about a minute) …"
	$(DIALECTS)/bin/pip install --quiet --disable-pip-version-check -r requirements-dialects.txt
	@touch $@

$(FUSION)/done: requirements-fusion.txt
	$(PYTHON) -m venv $(FUSION)
	@echo "Installing dbt 2.0 and DuckDB's library (100 MB) …"
	$(FUSION)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps -r requirements-fusion.txt
	npm pack --silent --pack-destination $(FUSION) $(FUSION_DUCKDB)
	tar -xzf $(FUSION)/*.tgz -C $(FUSION)
	@touch $@

$(VENV)/bench.done: benchmarks/requirements.txt $(VENV)/dev.done
	$(BIN)/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@
