# Every target makes its own environment first and asks nothing.
PYTHON ?= python3.11
PIP_ARGS ?=
COMPUTE ?= cuda
SLOW := e2e models styles/test_drawing.py \
  app/commands app/decoding app/jobs/test_recovery.py app/jobs/running \
  app/test_cli.py app/test_damaged_files.py app/test_engine.py app/bot/test_clips.py \
  app/bot/transport/test_poller.py app/bot/transport/test_picture_downloads.py \
  app/bot/conversation/test_dialog.py app/bot/job_message/test_reporter.py \
  app/bot/job_message/test_job_buttons.py app/bot/job_message/test_deletion.py \
  app/bot/routers/test_history.py app/bot/routers/test_admin_and_forget.py \
  app/pictures/test_film.py styles/test_gallery.py
QUICK := $(SLOW:%=--ignore=tests/%) -m "not soak and not browser"
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# A fresh machine may call its Python 3.11 either way.
$(BIN)/python:
	@$$(command -v $(PYTHON) || command -v python3) -m venv $(VENV)

# What running needs; installed again only when a list changes. requirements.txt names the
# constraints, so that every version comes from there.
$(VENV)/.run: requirements.txt constraints.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-bench.txt
	@touch $@

$(VENV)/.ray: requirements-ray.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-ray.txt
	@touch $@

env: $(VENV)/.run ## make .venv with what running needs

ray: $(VENV)/.ray ## the same with Ray, for engines on several machines (RAY_ADDRESS)

run: $(VENV)/.run ## run the bot: on Telegram with BOT_TOKEN, else in the sandbox on http://127.0.0.1:8080
	@$(BIN)/python run.py

demo: $(VENV)/.run ## paint a sample photo in one preset and say where the picture lies
	@$(BIN)/python run.py demo

# A file at a time to each worker: a file shares one bot. One thread each, or they would wait for
# each other's. Compiled once, whatever the shell says: every process that a test starts would do it
# again.
TESTS_IN := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1

test: $(VENV)/.dev ## run all tests
	$(TESTS_IN) $(BIN)/python -m pytest -m "not soak" -n 6 --dist loadfile --no-loadscope-reorder

# Without processes, browsers, the engine, drawings and conversations that keep time: whoever works on
# those runs their files.
test-quick: $(VENV)/.dev ## run the tests that end within a minute, for while one works
	$(TESTS_IN) $(BIN)/python -m pytest -q -n 6 --dist loadfile $(QUICK)

soak: $(VENV)/.dev ## run the long tests: kill -9 over 50 rounds, 200 users with 1,000 pictures
	$(BIN)/python -m pytest -m soak --timeout 3600 -rP

lint: $(VENV)/.dev ## lint and look at the layout, in a second
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check: lint ## lint and type-check
	$(BIN)/mypy

bench: $(VENV)/.bench ## measure the engine and the loop here; prints tables, writes bench.json
	@$(BIN)/python run.py bench --json bench.json

# Both, whatever the tests find: whoever has a GPU runs this once.
gpu: $(VENV)/.dev ## test and measure a GPU within ten minutes; prints tables, writes gpu.json and gpu.md
	@$(BIN)/python -m pytest -q -m gpu tests/models; tests=$$?; \
	$(BIN)/python run.py bench --only gpu --json gpu.json --table gpu.md && exit $$tests

constraints: $(VENV)/.dev $(VENV)/.bench $(VENV)/.ray ## pin every version that is installed, in constraints.txt
	$(BIN)/python -m deploy.constraints

image: ## build the container image; COMPUTE=cpu for one without CUDA
	docker build -f deploy/Dockerfile -t style-transfer-bot \
	  --build-arg COMPUTE=$(COMPUTE) --build-arg REVISION=$$(git rev-parse HEAD) .

doctor: $(VENV)/.run ## say what is wrong with this machine or its settings
	@$(BIN)/python run.py doctor

clean: ## remove the environment and the caches; data/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help env ray run demo test test-quick soak lint check bench gpu constraints image doctor clean
