#!/usr/bin/env bash
# Reads exports back with all readers: those in Go, pyarrow, DuckDB's Python package and CLI,
# hyparquet. What it needs it installs into a folder that goes away again.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/exports" "$scratch/node"
READERS_FOLDER="$scratch/exports" go test -count=1 ./...
python3 -m venv "$scratch/python"
"$scratch/python/bin/pip" --quiet --disable-pip-version-check install --requirement other/requirements.txt
"$scratch/python/bin/python" other/check.py "$scratch/exports" "$scratch/python/bin/duckdb"
cp other/check.mjs other/package.json other/package-lock.json "$scratch/node/"
npm --prefix "$scratch/node" --silent --no-audit --no-fund --ignore-scripts ci
node "$scratch/node/check.mjs" "$scratch/exports"
