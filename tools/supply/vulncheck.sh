#!/usr/bin/env bash
# Looks for known vulnerabilities in what the programs call. Any that is found is a failure.
# Where the database cannot be reached that is said, and is a failure only with STRICT=1.
# It sees Go code alone: of the C++ in DuckDB's prebuilt library it knows nothing.
#
# GOVULNDB is another database, such as file:///path; arguments are govulncheck's.
set -uo pipefail
cd "$(dirname "$0")/../.."
database=${GOVULNDB:-https://vuln.go.dev}
if [ $# -eq 0 ]; then
  tools/supply/vulncheck.sh -C lake ./... || exit
  set -- ./...
fi
said=$(go tool -modfile=tools/supply/go.mod govulncheck -db "$database" "$@" 2>&1)
code=$?
case "$code/$said" in
0/*)
  printf '%s\n' "$said"
  ;;
1/*'govulncheck: fetching vulnerabilities: '*)
  printf 'NOTE: not checked for known vulnerabilities, as %s cannot be reached: %s\n' "$database" "${said##*fetching vulnerabilities: }" >&2
  [ -z "${STRICT:-}" ] || exit 1
  ;;
*)
  printf '%s\n' "$said" >&2
  exit "$code"
  ;;
esac
