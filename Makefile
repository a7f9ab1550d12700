# Everything a developer does with this repository. `make help` lists it.
#
# Each goal sets up what it needs first (Scripts/setup), so it works from a fresh clone.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install run test replay example swarm cover mutants soak fuzz bench docs manual api lint format setup build clean

# Static standard library; no RUNPATH that points beside a privileged binary; all symbols bound at start; an id by which
# the evidence of a crash names its build.
RELEASE := -c release --static-swift-stdlib --disable-local-rpath -Xlinker -z -Xlinker now -Xlinker --build-id=sha1
BIN = .build/release
FORMATTED := Sources Tests Package.swift Benchmarks/Sources Fuzz/Sources Fuzz/Package.swift $(wildcard Examples/*/Sources Examples/*/Package.swift)

# The simulator with `sometimes` probes, which cost nothing where they are not compiled in.
PROBES := --scratch-path .build-probes --traits Probes
# How long `make swarm`, `make soak` and `make fuzz` last, or which seeds a swarm tries (SEEDS=1..200).
MINUTES ?=
SEEDS ?=

# Where `make install` puts things.
PREFIX ?= /usr/local
DESTDIR ?=
DOCS = $(DESTDIR)$(PREFIX)/share/doc/collector-core

# What `make run`, `make swarm` and `make bench` pass on, such as ARGS="--for 20s --set sources.process.receive_buffer=1MiB".
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
	Scripts/fuzz --check
	Scripts/run-tests

replay: setup ## Replay gallery, filed bugs and failing calls on the simulated kernel; compare it with this host's
	swift build $(RELEASE) --product collector-sim
	$(BIN)/collector-sim fmt --check Scenarios/{gallery,bugs,sweep}/*.scn Scenarios/swarm/*.swarm
	$(BIN)/collector-sim run Scenarios/gallery Scenarios/bugs Scenarios/sweep
	$(BIN)/collector-sim run Scenarios/sweep/startup.scn --fail-each-call
	$(BIN)/collector-sim run Scenarios/sweep/files.scn --fail-each-call
	@if [ "$$(id -u)" -eq 0 ]; then \
	    $(BIN)/collector-sim conform --random 200 --files || exit; \
	    $(BIN)/collector-sim conform --random 200 --sockets || exit; \
	    echo $(BIN)/collector-sim conform; \
	    exec $(BIN)/collector-sim conform; \
	else \
	    echo "not root: the litmus cases run on the simulated kernel only"; \
	    exec $(BIN)/collector-sim conform --sim; \
	fi

example: setup ## Build Examples/custom-source from the public products, test it, simulate it, watch with it (root)
	swift test --package-path Examples/custom-source
	Examples/custom-source/.build/debug/spool-sim run Examples/custom-source/Scenarios
	@if [ "$$(id -u)" -eq 0 ]; then \
	    exec Examples/custom-source/.build/debug/spoold run --config /dev/null --for 3s --events none --set ipc.socket= \
	        --set sources.spool.path=/tmp --set sources.spool.interval=1s --set state.directory=$(CURDIR)/.build/example-state; \
	else \
	    echo "not root: the daemon of the example is not started"; \
	fi

swarm: setup ## Try new seeds of the simulated host for MINUTES=10, after all bugs found so far
	swift build $(RELEASE) $(PROBES) --product collector-sim
	.build-probes/release/collector-sim swarm $(if $(SEEDS),--seeds $(SEEDS),--minutes $(or $(MINUTES),10)) $(ARGS)

cover: setup ## Show which rare situations the scenarios and a swarm meet; fail when one that must be met is not
	swift build $(RELEASE) $(PROBES) --product collector-sim
	.build-probes/release/collector-sim cover $(ARGS)

mutants: setup ## Show that each planted bug is caught by its oracle (in a build of its own)
	SWIFT_BACKTRACE=enable=no swift test --scratch-path .build-mutants --traits Mutants --filter planted

soak: setup ## Watch this host under load for MINUTES=15 (root), then 10^7 simulated events: nothing may creep
	swift build $(RELEASE) --product collectord
	swift build $(RELEASE) --product collector-bench
	swift build $(RELEASE) --product collector-sim
	Scripts/soak $(or $(MINUTES),15)
	$(BIN)/collector-sim soak

fuzz: setup ## Hand random bytes to every parser for MINUTES=5, guided by coverage
	Scripts/fuzz $(or $(MINUTES),5)

bench: setup ## Measure, beside the peers on this host, and compare with the floors
	swift build $(RELEASE) --product collectord
	swift build $(RELEASE) --product collector-bench
	$(BIN)/collector-bench $(ARGS)

docs: setup ## Write the documentation of the four libraries to .build/docs
	Scripts/docs

manual: build ## Check manual pages and the reference of settings, and run every documented command
	COLLECTORD=$(BIN)/collectord Scripts/reference --check
	Scripts/manual --check
	Scripts/documented-commands

api: setup ## Say which public declarations have changed incompatibly since BASE=(the last tag)
	Scripts/api $(BASE)

lint: ## Check format, layers, determinism and fences
	Scripts/lint

format: ## Format all Swift sources
	swift format --in-place --parallel --recursive $(FORMATTED)

build: setup ## Build the executables for release
	swift build $(RELEASE) --product collectord
	swift build $(RELEASE) --product collectorctl
	swift build $(RELEASE) --product collector-sim

install: build ## Install programs, unit and documentation below PREFIX=/usr/local (DESTDIR=... for a package)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DOCS)/Documentation
	install -m 755 $(BIN)/collectord $(BIN)/collectorctl $(BIN)/collector-sim $(DESTDIR)$(PREFIX)/bin
	sed 's,@PREFIX@,$(PREFIX),' Packaging/collectord.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/collectord.service
	install -d $(DESTDIR)$(PREFIX)/lib/sysusers.d
	install -m 644 Packaging/collectord.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/collector-core.conf
	install -m 644 README.md LICENSE $(DOCS)
	install -m 644 Packaging/collectord.rules.yml $(DOCS)
	install -m 644 Documentation/* $(DOCS)/Documentation
	install -d $(foreach section,1 5 8,$(DESTDIR)$(PREFIX)/share/man/man$(section))
	for page in Packaging/man/*.[158]; do \
	    sed 's,/usr/local,$(PREFIX),' "$$page" | \
	        install -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done
	@echo "next: systemd-sysusers && systemctl daemon-reload && systemctl enable --now collectord"

setup: ## Check the toolchain and install what is missing (apt)
	@Scripts/setup

clean: ## Remove what was built
	rm -rf .build .build-mutants .build-probes Examples/*/.build Fuzz/.build
