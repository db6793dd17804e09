# SPDX-License-Identifier: GPL-3.0-or-later
# The two commands are `make demo` and `make test`; `make help` lists the rest.

PYTHON := /usr/bin/python3
VENV = $(shell $(PYTHON) tools/setup.py --path)
STAGE := $(PYTHON) tools/stage.py
NODE ?= lab
NAMES ?= edge1 edge2
NODES ?= a=6.1:igb b=6.12:virtio:queues=4:rss=on c=newest:vmxnet3
TESTS ?= tests/unit tests/kernel tests/ansible tests/lab
PYTEST_ARGS ?=
BENCHES ?=
CORES ?=
TARGETS ?=
UNITS ?=
JUDGES ?=
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-deep bench lint sanity sanity-all units integration judges importer molecule docs dist setup setup-lab setup-browser bpf collection venv lab-up lab-ssh lab-down lab-list netns-up netns-inventory netns-down clean

help:
	@echo "make demo [NODE=netns]   a small fleet of virtual machines (or one network namespace), tuned and filtering"
	@echo "make bench               what runs cost on this machine, as ratios to well-known tools"
	@echo "make test [TESTS=path]   every test: unit, kernel, ansible, lab, by two workers; skips are listed at the end"
	@echo "make test-deep           what make test leaves out as well: each claim on every kernel, and as often as promised"
	@echo "make lint                ruff, mypy, import contracts, ansible-lint, yamllint, clang-format, the site"
	@echo "make sanity              ansible-test sanity on the collection as it ships"
	@echo "make units               ansible-test units: tests/unit on the collection as it ships"
	@echo "make integration         ansible-test integration, in namespaces of its own"
	@echo "make sanity-all          all three, and tests/ansible, under every ansible-core that is supported (CORES='2.21')"
	@echo "make judges              galaxy-importer, antsibull, ansible-builder, molecule; make importer, make molecule"
	@echo "make docs                the documentation as a site, in build/site"
	@echo "make dist                what a release consists of, from the commit, in build/dist"
	@echo "make bpf                 compile the BPF objects"
	@echo "make collection          build the collection and stage it outside the checkout"
	@echo "make setup               install what is missing (apt, pip); the other targets do it by themselves"
	@echo "make venv                print where the Python environment is"
	@echo "make lab-up NODES='...'  start virtual machines; make lab-list, lab-ssh NODE=a, lab-down"
	@echo "make netns-up            two nodes that are network namespaces (NAMES='...'); netns-inventory, netns-down"
	@echo "make clean               remove what was built in the tree (the caches stay)"

# Python is needed to install anything else, so it alone is installed from here.
$(PYTHON):
	apt-get install -y python3

setup: | $(PYTHON)
	@$(PYTHON) tools/setup.py

setup-lab: setup
	@$(PYTHON) tools/setup.py lab lab_backports

bpf: setup
	@$(STAGE) "BPF objects" $(MAKE) --no-print-directory -C bpf

collection: bpf
	@$(STAGE) "collection" $(PYTHON) collection/stage.py

venv: | $(PYTHON)
	@echo $(VENV)

setup-browser: setup
	@$(PYTHON) tools/setup.py browser

test: collection setup-lab setup-browser
	@$(STAGE) "tests" $(VENV)/bin/python -m pytest -rs -n $(WORKERS) $(PYTEST_ARGS) $(TESTS)

ifeq ($(NODE),netns)
demo: collection
else
demo: collection setup-lab
endif
	@$(STAGE) "demo" $(VENV)/bin/python -m demo $(NODE)

test-deep: export WIRESPEED_DEEP := 1
test-deep: test

lab-up: setup-lab
	@$(VENV)/bin/python -m tests.lab up $(NODES)

lab-ssh:
	@$(VENV)/bin/python -m tests.lab ssh $(NODE)

lab-list:
	@$(VENV)/bin/python -m tests.lab list

lab-down:
	@$(VENV)/bin/python -m tests.lab down

# Nodes that are network namespaces: no virtual machines, real SSH, one veth pair each.
netns-up: setup
	@for name in $(NAMES); do $(VENV)/bin/python -m tests.netns_node up $$name || exit; done

netns-inventory:
	@$(VENV)/bin/python -m tests.netns_node inventory $(NAMES)

netns-down:
	@$(VENV)/bin/python -m tests.netns_node down $(NAMES)

bench: collection
	@$(STAGE) "bench" $(VENV)/bin/python -m bench $(BENCHES)

lint: collection
	@$(STAGE) "lint" $(VENV)/bin/python tools/lint.py
	@$(MAKE) --no-print-directory docs

sanity: collection
	@$(STAGE) "ansible-test sanity" $(VENV)/bin/python tools/sanity.py

units: collection
	@$(STAGE) "ansible-test units" $(VENV)/bin/python tools/units.py $(UNITS)

# Sanity, units, integration and the tests of tests/ansible under every ansible-core that is supported (tools/cores.py).
sanity-all: collection setup
	@$(STAGE) "every ansible-core" $(VENV)/bin/python tools/cores.py $(CORES)

integration: collection
	@$(STAGE) "ansible-test integration" $(VENV)/bin/python tools/integration.py $(TARGETS)

# Galaxy's importer, the linters of documentation and changelog, ansible-builder, molecule: JUDGES='importer molecule'.
judges: collection
	@$(STAGE) "judges" $(PYTHON) tools/judges.py $(JUDGES)

importer molecule: collection
	@$(STAGE) "$@" $(PYTHON) tools/judges.py $@

docs: collection
	@folder=$$($(PYTHON) tools/setup.py --for docs) && $(STAGE) "docs" $$folder/bin/python tools/docs.py

dist: setup
	@folder=$$($(PYTHON) tools/setup.py --for release) && $(STAGE) "dist" $$folder/bin/python -m release

clean:
	@$(MAKE) --no-print-directory -C bpf clean
	rm -rf build dist *.egg-info tests/output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .ansible
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
