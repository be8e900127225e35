# What there is to do here; `make` alone says it. See docs/ for the rest.
# FILE=... on the command line reaches scripts in the environment, whatever letters it has.
override FILE := $(value FILE)
export FILE
.PHONY: help demo test lint bench soak fuzz fuzz-coverage docs build clean install-dependencies install uninstall siege siege-datagrams siege-secure epsilon-check plots shared-memory ledger-order ledger-throughput ledger-growth ledger-safety power-cuts crash-ledger
# What make install takes: PREFIX, DESTDIR, SYSCONFDIR, UNITDIR and STARLING reach the script as they are.
export PREFIX DESTDIR SYSCONFDIR UNITDIR STARLING

help:
	@echo "make demo             broadcast a file (FILE=...) over a network of real nodes on this machine"
	@echo "make build            build the command: .build/release/starling"
	@echo "make test             run all tests"
	@echo "make lint             check formatting and the rules of the sources"
	@echo "make bench            compare the simulator with a hand-written event loop, and payments with what their signatures cost"
	@echo "make epsilon-check    count how often broadcasts of weak samples fail, RUNS=10000 at each of 18 settings, beside the bounds"
	@echo "make plots            draw docs/epsilon-*.svg anew, with whole broadcasts among up to LARGEST=16384 processes"
	@echo "make shared-memory    check HISTORIES=10000 of real threads that pay each other, for each algorithm, and every schedule of small cases"
	@echo "make ledger-throughput  pay through 4 real nodes, as much as they take, beside what checking signatures alone costs"
	@echo "make ledger-order     measure payments with 4 to 100 nodes over a broadcast and over a leader's order, the leader failing too"
	@echo "make power-cuts       cut the power of disks under 4 members of a ledger, CUTS=1000 times, and see that nothing is lost"
	@echo "make crash-ledger     end 4 real nodes of a ledger by kill -9 under load, KILLS=1000 times, and see that nothing is lost"
	@echo "make ledger-growth    pay through nodes with 10 thousand and with PAST=10000000 past transfers and a million accounts, and compare"
	@echo "make ledger-safety    simulate a million payments under each adversary, over Bracha's broadcast and over Ready Broadcast"
	@echo "make soak             simulate SEEDS=10000 mixtures of faults, from seed START=1 on, and hold each to its promises; then ledger-growth"
	@echo "make fuzz             feed every decoder and whole processes with arbitrary inputs, a minute each"
	@echo "make fuzz-coverage    say which share of the decoders the kept inputs reach"
	@echo "make install          build once more, with Swift's libraries inside, and install that and a systemd unit (PREFIX=/usr/local, DESTDIR=, STARLING=a built one)"
	@echo "make uninstall        take them away again"
	@echo "make siege            kill, restart and stop real nodes while messages flow"
	@echo "make siege-datagrams  send ten million hostile datagrams at a live node"
	@echo "make siege-secure     equivocate and kill real members of secure broadcasts"
	@echo "make docs             write the reference of the libraries to docs/api"
	@echo "make clean            remove what was built"

demo: install-dependencies
	@scripts/demo "$$FILE"

build: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" build --configuration release --product starling

test: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" build --build-tests \
	  && "$$swift" test --skip-build --disable-xctest

lint: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" format lint --strict --recursive --parallel \
	  --configuration .swift-format Sources Tests Benchmarks Fuzzers Package.swift \
	  && "$$swift" test --disable-xctest --filter TidyTests

bench: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" build --configuration release --product FloodBenchmark \
	  && program="$$("$$swift" build --configuration release --show-bin-path)/FloodBenchmark" && "$$program" \
	  && if command -v valgrind >/dev/null; then \
	    Benchmarks/instructions "$$program" starling && Benchmarks/instructions "$$program" baseline; fi
	@$(MAKE) --no-print-directory ledger-throughput

RUNS ?= 10000
LARGEST ?= 16384
epsilon-check: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" run --configuration release SecureStatistics check $(RUNS)

plots: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" run --configuration release SecureStatistics plots docs $(LARGEST)

HISTORIES ?= 10000
shared-memory: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" run --configuration release SharedMemoryHistories $(HISTORIES)

# Builds a load generator, and runs its benchmark with the command, itself and one number.
define benchmark
@swift=$$(scripts/find-swift) && "$$swift" build --configuration release --product $(1) \
  && folder=$$("$$swift" build --configuration release --show-bin-path) \
  && Benchmarks/$(1)/run "$$folder/starling" "$$folder/$(1)" $(2)
endef

PAYMENTS ?= 200000
ledger-throughput: build
	$(call benchmark,LedgerThroughput,$(PAYMENTS))

ledger-order: build
	@Benchmarks/LedgerOrder/run .build/release/starling

CUTS ?= 1000
power-cuts: install-dependencies
	@swift=$$(scripts/find-swift) && "$$swift" build --build-tests \
	  && STARLING_POWER_CUTS=$(CUTS) "$$swift" test --skip-build --disable-xctest --filter PowerCutTests

KILLS ?= 1000
crash-ledger: build
	$(call benchmark,LedgerCrashes,$(KILLS))

PAST ?= 10000000
ledger-growth: build
	$(call benchmark,LedgerGrowth,$(PAST))

ledger-safety: build
	@Benchmarks/LedgerSafety/run .build/release/starling

soak: build
	@scripts/soak
	@$(MAKE) --no-print-directory ledger-growth

fuzz: install-dependencies
	@scripts/fuzz

fuzz-coverage: install-dependencies
	@scripts/fuzz-coverage

install:
	@scripts/install install

uninstall:
	@scripts/install uninstall

siege: install-dependencies
	@scripts/siege

siege-datagrams: install-dependencies
	@scripts/siege-datagrams

siege-secure: install-dependencies
	@scripts/siege-secure

docs: install-dependencies
	@scripts/docs

clean:
	@rm -rf .build docs/api

install-dependencies:
	@scripts/install-dependencies
