# Everything is set up on the way: git, make and python3 are all that a Debian or Ubuntu must bring.
# What is fetched goes to .venv and .local; a farm's own state is in .farm.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help rig-firmware setup run test chaos check bench docs firmware clean

bin := .venv/bin
set_up := sh -eu deploy/setup
umqtt := .local/micropython/umqtt/simple.py
avr_ready := .local/.avr-tools
fpga_ready := .local/.fpga-tools
icefarm_ready := .local/.icefarm-clients
run_ready := .venv/.ready-to-run .local/bin/mosquitto $(umqtt)
test_ready := .venv/.ready-to-test .local/bin/mosquitto $(umqtt) $(avr_ready) $(fpga_ready) $(icefarm_ready) \
    .local/.test-tools

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## fetch all that run and test need, and try again for what was missing
	@rm -f .local/.test-tools $(avr_ready) $(fpga_ready) $(icefarm_ready)
	@$(MAKE) --silent $(run_ready) $(test_ready)

run: $(run_ready) $(if $(findstring --rig,$(ARGS)),rig-firmware) $(if $(findstring --boards,$(ARGS)),$(fpga_ready)) ## start a farm of two domains on this machine (Ctrl-C stops it)
	@$(bin)/farmhand up $(ARGS)

test: $(test_ready) ## all tests, with real brokers, boards and browsers
	@$(bin)/pytest $(ARGS)

chaos: $(test_ready) ## the fault tests, ten times as long and hard
	@FARMHAND_TEST_SCALE=10 $(bin)/pytest --timeout=0 -n 0 tests/system $(ARGS)

check: .venv/.ready-to-test ## style, types, direction of imports, AsyncAPI document up to date
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/pyright
	$(bin)/pytest -q tests/architecture
	$(bin)/python -m schema.asyncapi --check

bench: $(test_ready) ## every benchmark, or those whose name begins with ONLY=; SHORT=1 takes a tenth of the time
	@FARMHAND_BENCH_SHORT=$(SHORT) $(bin)/python -m tests.bench $(ONLY)

docs: .venv/.ready-to-test ## generate the AsyncAPI document anew
	$(bin)/python -m schema.asyncapi

firmware: .venv/.ready-to-run ## build the files of a MicroPython board into build/firmware, and show their sizes
	@$(bin)/python -m esp_node.firmware build/firmware

clean: ## remove what was fetched and built; a farm's state in .farm stays
	rm -rf .venv .local avr/build build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready-to-run: pyproject.toml uv.lock
	@$(set_up)/python.sh --no-default-groups --group node
	@touch $@

.venv/.ready-to-test: pyproject.toml uv.lock
	@$(set_up)/python.sh
	@touch $@

.local/bin/mosquitto:
	@$(set_up)/mosquitto.sh

$(umqtt): | .venv/.ready-to-run
	@$(set_up)/umqtt.sh

rig-firmware: $(avr_ready)
	@$(MAKE) --silent -C avr

$(avr_ready): deploy/setup/avr.sh | .venv/.ready-to-run
	@$(set_up)/avr.sh
	@touch $@

$(fpga_ready): deploy/setup/fpga.sh
	@$(set_up)/fpga.sh
	@touch $@

$(icefarm_ready): deploy/setup/icefarm.sh | .venv/.ready-to-test
	@$(set_up)/icefarm.sh
	@touch $@

.local/.test-tools: deploy/setup/test_tools.sh | .venv/.ready-to-test
	@$(set_up)/test_tools.sh
	@touch $@
