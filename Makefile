# Everything a developer does with this repository. `make help` lists it.
#
# Each goal sets up what it needs first (Scripts/setup), so it works from a fresh clone.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test mutants replay bench lint format setup build clean

# Static standard library; no RUNPATH that points beside a privileged binary; all symbols bound at start.
RELEASE := -c release --static-swift-stdlib --disable-local-rpath -Xlinker -z -Xlinker now
BIN = .build/release
FORMATTED := Sources Tests Package.swift Benchmarks/Sources $(wildcard Examples/*/Sources Examples/*/Package.swift)

# What `make run` and `make bench` pass on, such as ARGS="--for 20s --set sources.process.receive_buffer=1MiB".
ARGS ?=

help: ## List these goals
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## Build for release and watch this host live in a table (ARGS=... for more options)
	swift build $(RELEASE) --product collectord
	@if [ "$$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then \
	    echo "collectord listens to the kernel's process connector, which takes root"; \
	    exec sudo $(BIN)/collectord run --events table $(ARGS); \
	fi; \
	exec $(BIN)/collectord run --events table $(ARGS)

test: setup lint ## Lint, build everything strictly, run all tests (as root also those of the real kernel)
	Scripts/lint --self-test
	swift build --build-tests --explicit-target-dependency-import-check error
	swift test --skip-build

mutants: setup ## Show that each planted bug is caught by its oracle (in a build of its own)
	SWIFT_BACKTRACE=enable=no swift test --scratch-path .build-mutants --traits Mutants --filter planted

replay: setup ## Replay the gallery on the simulated kernel, and compare it with this host's kernel
	swift build $(RELEASE) --product collector-sim
	$(BIN)/collector-sim fmt --check Scenarios/gallery/*.scn
	$(BIN)/collector-sim run Scenarios/gallery
	@if [ "$$(id -u)" -eq 0 ]; then \
	    echo $(BIN)/collector-sim conform; \
	    exec $(BIN)/collector-sim conform; \
	else \
	    echo "not root: the litmus cases run on the simulated kernel only"; \
	    exec $(BIN)/collector-sim conform --sim; \
	fi

bench: setup ## Measure, beside the peers on this host, and compare with the floors
	swift build $(RELEASE) --product collectord
	swift build $(RELEASE) --product collector-bench
	$(BIN)/collector-bench $(ARGS)

lint: ## Check format, layers, determinism and fences
	Scripts/lint

format: ## Format all Swift sources
	swift format --in-place --parallel --recursive $(FORMATTED)

build: setup ## Build both executables for release
	swift build $(RELEASE) --product collectord
	swift build $(RELEASE) --product collector-sim

setup: ## Check the toolchain and install what is missing (apt)
	@Scripts/setup

clean: ## Remove what was built
	rm -rf .build .build-mutants Examples/.build Fuzz/.build
