# The steps of .ci/run and .ci/full, which source this file. A step ends the script where it
# fails, and prints how long it took.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export GOFLAGS=-mod=readonly
root=$PWD
rows='' # of the table of steps: "| step | minutes |"

step() { # name, command...
  local name=$1 began=$SECONDS
  shift
  "$@"
  took "$name" $((SECONDS - began))
}

took() { # name, seconds
  local minutes
  minutes=$(awk -v s="$2" 'BEGIN { printf "%.1f", s / 60 }')
  rows+="| $1 | $minutes |"$'\n'
  printf '== %s: %s minutes\n' "$1" "$minutes"
}

# The code is formatted, and the dependencies in the module cache are those of go.sum.
sources() {
  local unformatted
  unformatted=$(git ls-files '*.go' | xargs -r gofmt -l)
  if [ -n "$unformatted" ]; then
    printf 'gofmt would change:\n%s\n' "$unformatted" >&2
    return 1
  fi
  tools/supply/verify.sh
}

lint() { # folder of a module
  (cd "$1" && go tool -modfile="$root/tools/go.mod" golangci-lint run)
}

lint_all() {
  local file
  for file in $(git ls-files '*go.mod' | grep -vx tools/go.mod); do
    lint "$(dirname "$file")"
  done
}

# Where a signal ends a test's process, only -v tells which test it was.
race() { # packages
  local log
  log=$(mktemp)
  if ! go test -race -short -timeout 30m -v "$@" >"$log" 2>&1; then
    grep -E -B 25 '^(FAIL|panic|signal)|^ *--- FAIL|DATA RACE' "$log" >&2
    rm -f "$log"
    return 1
  fi
  grep '^ok' "$log"
  rm -f "$log"
}

tests_of() { # folder of a module, arguments of go test
  local folder=$1
  shift
  (cd "$folder" && go test "$@")
}

# The names of the tests in files, at most $1 of each, as a pattern for -run. A missing file is an error.
tests_in() { # number, files
  awk -v most="$1" 'match($0, /^func Test[A-Za-z0-9]*/) {
    name = substr($0, 6, RLENGTH - 5)
    if (name != "TestMain" && n[FILENAME]++ < most) { pattern = pattern separator name; separator = "|" }
  } END { print "^(" pattern ")$" }' "${@:2}"
}

# The first two tests of each file of internal/faults, which has a file for each kind, and a few of
# their cases.
faults_in_part() {
  local names
  names=$(tests_in 2 internal/faults/*_test.go)
  tests_of internal/faults -timeout 30m . -run "$names" -args -test.parallel 8
}

# Two writers of the store, readers beside them, and several walks of a window.
race_in_part() {
  local names
  names=$(tests_in 99 internal/store/order_test.go internal/store/snapshot_test.go ingest/shards_test.go ingest/shardresume_test.go ingest/progress_parts_test.go)
  race ./internal/duck/ ./internal/live/ ./ingest/dispatch/ ./ingest/shard/ ./internal/web/...
  race -run "$names" ./internal/store/ ./ingest/
}

# The benchmarks' harness, on a few pages and without the rivals that come from PyPI.
bench_harness() { tests_of internal/bench ./...; }

# Known vulnerabilities, where their database can be reached; the same bytes from two builds;
# the SBOM.
supply_chain() {
  tools/supply/vulncheck.sh
  tests_of tools/supply -count=1 ./...
}
