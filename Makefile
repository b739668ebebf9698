.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: bench bench-diff clean control-plane coverage demo dist docs format gitops help lint node parts system-parts test test-quick upgrade

PYTHON ?= python3
UPGRADE ?= --upgrade
# Each process of the tests would compile this package and its tests anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements/dev.txt
RUFF := $(BIN)/ruff

##### Use

demo: .venv/.demo overlays/production/secrets/flower.env ## Render a Tutor site, build overlays/production on it and show its workers
	@mkdir -p build
	@installed="$$($(BIN)/python -c 'from importlib.metadata import version; print(version("tutor"))')"; \
	if [ "$$(cat tutor/env/version 2>/dev/null)" != "$$installed" ]; then \
		echo "Rendering a site with Tutor $$installed into tutor/ ..."; \
		$(BIN)/tutor --root="$(CURDIR)/tutor" config save >build/tutor.log 2>&1 || { cat build/tutor.log >&2; exit 1; }; \
	fi
	@kustomize="$$($(BIN)/python tools/get_kustomize)" && \
	"$$kustomize" build --enable-alpha-plugins --enable-exec overlays/production >build/production.yaml.new && \
	mv build/production.yaml.new build/production.yaml || { rm -f build/production.yaml.new; exit 1; }
	@echo "Built overlays/production: build/production.yaml"
	@$(BIN)/tutor-kustomizer queues build/production.yaml

# Kept once it is there, and by `make clean`: it may be what a site's Flower asks for. Nothing prints it.
overlays/production/secrets/flower.env:
	@echo "Making Flower's password: $@"
	@umask 077 && $(PYTHON) -c 'import secrets; print("auth=admin:" + secrets.token_urlsafe(24))' >$@

##### Work on the project

test: lint parts ## Check style and types, and run every test on real Tutor, kustomize and Redis
	$(BIN)/python -m pytest -n 2

test-quick: .venv/.dev ## Run every test that needs nothing but Python, with fewer examples
	$(BIN)/python -m pytest --quick -n 2

coverage: .venv/.dev ## Say which lines no test runs, of the parts that are there (COVERAGE=--quick: of the quick tests)
	@rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -n 2 $(COVERAGE)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

lint: .venv/.dev ## Check style and types only
	$(RUFF) check
	$(RUFF) format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

format: .venv/.dev ## Rewrite the code the way `make lint` wants it
	$(RUFF) check --fix
	$(RUFF) format

bench: .venv/.dev parts ## Measure the function's cost beside others' (BENCH=--write-docs renews the docs)
	@$(BIN)/python -m benchmarks.bench $(BENCH)

control-plane: .venv/.dev parts ## Run sites on a real control plane, ours and others' side by side (CONTROL_PLANE=--help)
	$(BIN)/python -m pytest -n 2 tests/control_plane
	@$(BIN)/python -m tests.control_plane.run $(CONTROL_PLANE)

# The check comes first: a machine that can't have a node needn't build one.
node: .venv/.dev parts ## Run what is emitted on a real node: kubelet, containerd, the kernel's limits (root; NODE=-k rollout)
	@$(BIN)/python -m tests.node.run --check
	@$(BIN)/python tools/get_control_plane node
	@$(BIN)/python tools/get_node_layers
	@$(BIN)/python -m tests.node.run $(NODE)

gitops: .venv/.dev parts ## Run Flux's controllers and Argo CD against the API server, on the pages' repositories (builds them first)
	@$(BIN)/python tools/get_gitops
	$(BIN)/python -m pytest tests/control_plane/gitops

bench-diff: .venv/.dev parts ## Measure the comparison of two builds beside dyff (needs Go for dyff)
	@$(BIN)/python -m benchmarks.diff_bench $(BENCH)

docs: .venv/.dev ## Renew docs/configuration.md from the types of the configuration, docs/rules from the rules
	$(BIN)/tutor-kustomizer schema --markdown >docs/configuration.md
	$(BIN)/python tools/rule_pages.py

dist: .venv/.dev ## Build the wheel and the sdist into dist/ and check them; TAG=v1.2.3 holds them to a release
	@$(BIN)/python tools/make_dist.py

upgrade: .venv/.dev ## Renew the pinned versions in requirements/; UPGRADE= only adds what is new there
	$(BIN)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.10 --no-header --no-annotate \
		--extra dev --extra tutor --output-file requirements/dev.txt pyproject.toml
	$(BIN)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.10 --no-header --no-annotate \
		--no-emit-package click --no-emit-package tutor --output-file requirements/sites.txt requirements/sites.in

# tutor/ stays: by now it may be somebody's site, with its passwords. So does Flower's.
clean: ## Remove what make has made, but not tutor/ and Flower's password
	rm -rf .venv .tools build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} \
		/^##### / {printf "\n\033[1m%s\033[0m\n", substr($$0, 7)} \
		/^[a-z-]+:.*## / {printf "  \033[33m%-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Parts

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Error: no $(PYTHON) on PATH: install Python 3.10 or newer, or say which one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Error: $$($(PYTHON) --version) is too old, 3.10 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Error: $$($(PYTHON) --version) has no venv: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	@echo "Making the environment .venv ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv

.venv/.demo: .venv/bin/python pyproject.toml requirements/dev.txt
	@echo "Installing Tutor and this project into .venv ..."
	@$(PIP) --editable '.[tutor]'
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml requirements/dev.txt
	@echo "Installing what tests need into .venv ..."
	@$(PIP) --editable '.[dev]'
	@touch $@

# Quick when there is nothing to do: the two scripts know better than make when there is.
parts: .venv/bin/python system-parts ## Get what tests need besides Python: kustomize, Tutor sites, Flower, Celery, a control plane, runners of CI jobs, Redis, Prometheus
	@$(BIN)/python tools/get_kustomize --all
	@$(BIN)/python tools/get_tutor --all
	@$(BIN)/python tools/get_flower --all
	@$(BIN)/python tools/get_celery --all
	@$(BIN)/python tools/get_control_plane
	@$(BIN)/python tools/get_runners

system-parts:
	@missing=; for pair in redis-server:redis-server promtool:prometheus etcd:etcd-server openssl:openssl \
		node:nodejs npm:npm rsync:rsync; do \
		command -v "$${pair%:*}" >/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	if [ -z "$$missing" ]; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing from Debian:$$missing ..."; \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "Error: the tests need$$missing: apt-get install$$missing (Debian, Ubuntu)," \
			"brew install redis prometheus etcd openssl node rsync (macOS)" >&2; \
		exit 1; \
	fi
