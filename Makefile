# The verbs of this project. CI is .ci/run; docs/testing.md describes the test suites.
FUZZTIME ?= 30s
GOLANGCI = go tool -modfile=tools/go.mod golangci-lint

# More options for the benchmarks, such as BENCH="--turns 9 --work /mnt/fast".
BENCH ?=
WRITE_RESULTS = $(if $(WRITE),--write)

.PHONY: build build-arm64 test race fuzz bench bench-full bench-growth bench-api microbench lint soak faults readers engines browser \
  verify vulncheck sbom dist reproducible ci-full

# datasync, and datasync-lake, which it starts for Iceberg tables and S3.
build:
	go build -trimpath -o datasync .
	cd lake && go build -trimpath -o ../datasync-lake ./cmd/datasync-lake

# For Linux on arm64, with Debian's cross compiler (apt-get install g++-aarch64-linux-gnu).
build-arm64:
	CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ CGO_ENABLED=1 GOOS=linux GOARCH=arm64 \
	  go build -trimpath -o dist/datasync-linux-arm64 .
	cd lake && CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ CGO_ENABLED=1 GOOS=linux GOARCH=arm64 \
	  go build -trimpath -o ../dist/datasync-lake-linux-arm64 ./cmd/datasync-lake

test:
	go test ./...

race:
	go test -race -timeout 30m ./...

# Every native fuzz target for FUZZTIME each. Inputs that reach something new are made
# smaller ten times and not, as by default, for a minute: that is most of a short run.
fuzz:
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' "$$file"); do \
	    echo "== $$target"; (cd "$$(dirname "$$file")" && \
	      go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x .); \
	  done; done

# datasync beside other ways to do the same (docs/performance.md). WRITE=1 puts the
# results there.
bench:
	cd internal/bench && go run . compare $(WRITE_RESULTS) $(BENCH)

# All rivals on all events, then a pull of 30,000,000.
bench-full:
	cd internal/bench && go run . compare --slow-events 3000000 $(WRITE_RESULTS) $(BENCH)
	$(MAKE) bench-growth

# The second part alone; GROWTH="--events 10000000" makes it shorter.
GROWTH ?=
bench-growth:
	cd internal/bench && go run . growth $(WRITE_RESULTS) $(GROWTH)

# Pulls from an API with limits and latency, one page after the other and side by side, beside
# what it allows.
bench-api:
	cd internal/bench && go run . api $(WRITE_RESULTS) $(BENCH)

# Benchmarks of parts, for benchstat.
microbench:
	go test -run '^$$' -bench . -benchmem ./...

lint:
	$(GOLANGCI) run ./...

# What is depended on is what go.sum says, in all modules.
verify:
	tools/supply/verify.sh

# Known vulnerabilities in what is called; STRICT=1 fails where the database cannot be reached.
vulncheck:
	tools/supply/vulncheck.sh

# What the built programs consist of, as CycloneDX JSON, a document each.
sbom: build
	tools/supply/sbom.sh datasync
	tools/supply/sbom.sh datasync-lake

# The programs, their SBOMs and the checksums in dist/, of the commit that is checked out.
dist:
	tools/supply/dist.sh

# That commit built twice, with the same bytes; COLD=1 compiles everything twice, too.
reproducible:
	tools/supply/reproducible.sh

# Exports read back by other implementations, which are fetched from their registries.
readers:
	internal/readers/run.sh

# An exported Iceberg table read by Spark, Trino, DuckDB, PyIceberg and ClickHouse: 3.5 GB from PyPI and
# Maven's registry, which stay in the user's cache folder.
engines:
	internal/engines/run.sh

# The pages in Debian's Chromium, which it installs, with axe-core and the Nu checker from npm.
browser:
	internal/browser/run.sh

# Every fault of docs/faults.md, all cases, with a table of the results.
faults:
	cd internal/faults && go run ./report

# All cases of all suites, in at most an hour on two cores. WRITE=1 puts its table of minutes
# into docs/testing.md.
ci-full:
	WRITE=$(WRITE) .ci/full

# 3,000,000 events over sockets, killed and resumed on the way.
soak:
	go test -count=1 -timeout 30m -run '^TestKillLoop$$' ./internal/e2e/kill -args -soak
