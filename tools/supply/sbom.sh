#!/usr/bin/env bash
# Writes an SBOM of a built program, CycloneDX as JSON, to stdout: the same one for the same
# program. What is linked in stands in the program itself; DuckDB's library is one of the modules.
set -euo pipefail
binary=$(realpath "$1")
cd "$(dirname "$0")/../.."
go tool -modfile=tools/supply/go.mod cyclonedx-gomod bin -json -std -noserial -notimestamp "$binary"
