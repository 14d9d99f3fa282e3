# `make help` lists what there is. Nothing here needs more than Python 3.11, a shell and, for `run` and `test`,
# a network for the first time; what is missing is installed where that is allowed, else the command is printed.

PYTHON ?= python3
VENV := .venv/bin
# Long runs of the fault tests have a target of their own, and so has what needs a Keycloak.
TESTS_APART := --ignore=tests/faults/long --ignore=tests/keycloak

CODE := bench deploy services shared tests

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-faults test-keycloak bench lint types clean setup setup-test setup-check

##@ Use it
run: setup ## Start everything with demo data: MongoDB, Kafka, the sign-in, the three services; Ctrl-C ends it
	@exec $(VENV)/python -m deploy.local run

clean: ## Remove the local data and logs, not the installed programs
	@$(PYTHON) -m deploy.local.clean

##@ Work on it
test: setup-test lint types ## Everything but the long fault runs, on a real MongoDB and Kafka
	$(VENV)/python -m pytest tests $(TESTS_APART)

test-fast: setup-check ## What needs no servers: the rules of the business and of the house
	$(VENV)/python -m pytest tests/unit tests/structure

test-faults: setup-test ## The long fault runs: kills, five minutes without Kafka, lost primaries
	CONCORD_FAULTS_LONG=1 $(VENV)/python -m pytest tests/faults

test-keycloak: setup-test ## Sign in at a real Keycloak; the first time it is fetched, 180 MB
	$(VENV)/python -m pytest tests/keycloak

bench: setup-test ## Measure each promise of speed beside the raw driver or client
	$(VENV)/python -m bench

lint: setup-check ## The style, as far as a program can see it
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .

types: setup-check ## The types, strictly
	$(VENV)/mypy $(CODE)

##@ Help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup:
	@$(PYTHON) -m deploy.local.setup run

setup-test:
	@$(PYTHON) -m deploy.local.setup test

setup-check:
	@$(PYTHON) -m deploy.local.setup check
