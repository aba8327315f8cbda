#!/usr/bin/env bash
# Reads exports back with other implementations.
#
#     run.sh [light]
#
# All are those in Go, pyarrow, polars, pandas, DuckDB's Python package and CLI, the next DuckDB,
# hyparquet, ClickHouse (chdb), DataFusion and Spark: about 2 GB of packages, which go away again.
# Light leaves out hyparquet and the last four. What cannot run here is named at the end.
set -euo pipefail
cd "$(dirname "$0")"
light=${1:-}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/exports" "$scratch/node"
skipped=()
READERS_FOLDER="$scratch/exports" go test -count=1 ./...

install() { "$scratch/python/bin/pip" --quiet --disable-pip-version-check install --no-compile "$@"; }
folders() { "$scratch/python/bin/python" other/folders.py "$scratch/exports" "$1"; }

# Debian's java, where there is none and this user may install it.
have_java() {
  command -v java >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return
  apt-get -qq update && apt-get -qq install --yes --no-install-recommends openjdk-17-jre-headless >/dev/null
}

if ! python3 -m venv "$scratch/python"; then
  skipped+=('all readers in Python: they need python3 with venv (apt-get install python3-venv)')
elif ! install --requirement other/requirements.txt; then
  [ -n "$light" ] || exit 1
  skipped+=('all readers in Python: their packages could not be installed')
else
  "$scratch/python/bin/python" other/check.py "$scratch/exports" "$scratch/python/bin/duckdb"
  for reader in pyarrow polars pandas duckdb; do folders "$reader"; done
  if [ -z "$light" ]; then
    install --no-deps --target "$scratch/next" duckdb==2.0.1
    PYTHONPATH="$scratch/next" folders duckdb
    install --requirement other/requirements-heavy.txt
    for reader in datafusion chdb; do folders "$reader"; done
    if have_java; then folders spark; else skipped+=('Spark: it needs Java (apt-get install openjdk-17-jre-headless)'); fi
  fi
fi
if [ -z "$light" ]; then
  cp other/check.mjs other/package.json other/package-lock.json "$scratch/node/"
  npm --prefix "$scratch/node" --silent --no-audit --no-fund --ignore-scripts ci
  node "$scratch/node/check.mjs" "$scratch/exports"
fi
for what in "${skipped[@]}"; do printf '!! NOT READ BY %s\n' "$what" >&2; done
