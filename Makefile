# SPDX-License-Identifier: Apache-2.0
# The two that everyone needs: `make quickstart` and `make test`.

SWIFT ?= swift
RELEASE = -c release --product lake
LAKE = .build/release/lake
# A `lake` without S3 and REST, whose packages take minutes to build, in a folder of its own.
SMALL = .build/small

.PHONY: setup build release quickstart test format lint interop clean \
  bench bench-parquet bench-table bench-text bench-upsert bench-changes bench-upkeep bench-store

setup: ## installs the three C libraries where they are missing (Debian, Ubuntu)
	@./Tools/setup

build: setup
	$(SWIFT) build

release: setup
	$(SWIFT) build $(RELEASE)

quickstart: setup ## real flights in, an Iceberg table out, read at two moments
	$(SWIFT) build $(RELEASE) --disable-default-traits --scratch-path $(SMALL)
	@LAKE=$(SMALL)/release/lake ./Tools/quickstart

test: setup
	./Tools/test

interop: release ## every engine of the oracles reads what Lake writes
	./Tools/interop

format:
	$(SWIFT) format -i -r --configuration .swift-format Package.swift Sources Tests Benchmarks

lint:
	$(SWIFT) format lint --strict -r --configuration .swift-format Package.swift Sources Tests Benchmarks

bench: bench-parquet bench-table bench-text bench-upsert bench-changes bench-upkeep bench-store

bench-parquet bench-table bench-text bench-upsert bench-changes: setup
	./Benchmarks/run $(subst bench-,,$@)

bench-store: setup ## objects and tables on an S3 server, beside boto3 and pyarrow
	./Benchmarks/run store

# Lake alone, then compaction and expiry beside Spark and delta-rs where BENCH_WORK says where to.
bench-upkeep: setup
	swift build -c release --product lake-bench
	.build/release/lake-bench upkeep_compact 2 '{"rows": 6000000, "files": 200}'
	.build/release/lake-bench upkeep_expire 2 '{"snapshots": 10000, "kept": 100}'
	.build/release/lake-bench upkeep_orphans 2 '{"files": 100000}'
	.build/release/lake-bench upkeep_rounds 2 '{"rounds": 100}'
	.build/release/lake-bench soak 2 '{"seconds": 600, "keys": 1000000, "size": 10000}'
	if [ -n "$$BENCH_WORK" ]; then $${DELTA_PYTHON:-python3} Benchmarks/upkeep_peers.py .build/release/lake-bench 3; fi

clean:
	rm -rf .build
