# Everything installs itself into .venv; nothing else on the machine changes, except the caches of pip, Ivy
# and Rollcall. `make PYTHON=python3.12 ...` chooses the interpreter.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

export PYSPARK_PYTHON = $(abspath $(BIN)/python)

AIRFLOW := .venv-airflow/.installed
LOG_STORE := dist/log-store.jar

.PHONY: help install demo test accept accept-whole accept-parts accept-faults accept-s3 accept-backfill check format docs clean dist log-store soak fuzz-decode fuzz-manifest airflow

help:                  ## this list
	@grep -hE '^[a-z0-9-]+: .*##|^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(INSTALLED)  ## the environment in .venv

$(INSTALLED): pyproject.toml constraints.txt udfs/search/kernel.cpp
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(INSTALLED)     ## the whole chain on a dozen real photos, in .demo; WEIGHTS=PATH for FaceNet from a file
	@$(BIN)/python -m demo .demo $(if $(WEIGHTS),--weights "$(WEIGHTS)")

test: $(INSTALLED)     ## the tests a developer runs
	$(BIN)/python -m tests.prepare
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Airflow and Rollcall need different versions of the same packages: Airflow has its own environment, and its tasks run
# jobs with the spark-submit of .venv.
$(AIRFLOW): airflow_dags/constraints.txt
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet --disable-pip-version-check --constraint $< \
		apache-airflow apache-airflow-providers-apache-spark
	@touch $@

airflow: $(INSTALLED) $(AIRFLOW)  ## Airflow with the DAGs on the demo's lake, at localhost:8080
	airflow_dags/standalone.sh

accept: $(INSTALLED) $(AIRFLOW)  ## the slow proofs, in two runs at once: each prints its output when it has ended
	$(BIN)/python -m tests.prepare
	@$(MAKE) --no-print-directory -j2 --output-sync=target accept-whole accept-parts

# One run has jobs and clusters as processes, accuracy, vision and faces, training and erasures; the other has the rest.
# Each alone leaves a processor idle for half of its time.
WHOLE := tests/accept tests/udfs tests/conf tests/schemas tests/training tests/jobs/faces tests/jobs/learning \
	tests/jobs/erasure tests/jobs/test_writers.py

accept-whole:
	$(BIN)/python -m pytest -m slow -s $(WHOLE)

accept-parts:
	$(BIN)/python -m pytest -m slow -s $(WHOLE:%=--ignore %)

accept-faults: $(INSTALLED)  ## a full disk, a failing store, two nights and an investigation at once
	$(BIN)/python -m pytest -m apart -s tests/accept/test_faults.py

accept-s3: $(INSTALLED) $(LOG_STORE)  ## the chain on an S3-compatible store; downloads 700 MB of jars
	$(BIN)/python -m pytest -m apart -s tests/accept/test_s3.py

accept-backfill: $(INSTALLED) $(AIRFLOW)  ## three dates by `airflow backfill`, the newest first
	$(BIN)/python -m pytest -m apart -s tests/accept/test_backfill.py

check: $(INSTALLED)    ## format, lint, types, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m schemas.docs --check
	$(BIN)/python -m benchmarks.scale_plan --check

format: $(INSTALLED)   ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(INSTALLED)     ## generate docs/tables.md and docs/scale.md
	$(BIN)/python -m schemas.docs
	$(BIN)/python -m benchmarks.scale_plan

clean:                 ## remove what was generated
	rm -rf .venv .venv-airflow .airflow .demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		udfs/search/_kernel*.so spark-warehouse derby.log

log-store: $(LOG_STORE)  ## Delta's log store for several writers on S3; needs a JDK

$(LOG_STORE): deploy/S3LogStore.java deploy/log_store.sh $(INSTALLED)
	deploy/log_store.sh

# MODELS: those whose weights to include; by default the models of the settings.
dist: $(INSTALLED)     ## what executors without Rollcall need: environment, weights, code; in dist/
	PYTHON=$(PYTHON) deploy/dist.sh $(or $(MODELS),centerface fused)

fuzz-decode: $(INSTALLED)  ## ten minutes of fuzzing the decoders
fuzz-manifest: $(INSTALLED)  ## ten minutes of fuzzing the readers of manifests

fuzz-decode fuzz-manifest: fuzz-%:
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz.$* --seconds 600

soak: bench-soak       ## thirty nights in one go, and a plot of them; DATA=FOLDER

bench-%: $(INSTALLED)  ## one benchmark, e.g. make bench-vision DATA=FOLDER
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/rollcall weights fetch centerface mobilefacenet dlib-resnet-v1
	$(BIN)/python -m benchmarks.$* $(if $(DATA),--data "$(DATA)")
