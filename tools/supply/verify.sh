#!/usr/bin/env bash
# Compares what has been fetched of the dependencies with the hashes noted then: go mod verify in
# each module. Each build compares those hashes with go.sum. A dependency that is replaced by a
# folder of this repository is left out, as it has no hash.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git ls-files '*go.mod' | while read -r file; do
  folder=$(dirname "$file")
  cp "$file" "$scratch/go.mod"
  : >"$scratch/go.sum" # a module without dependencies has none
  [ ! -f "$folder/go.sum" ] || cp "$folder/go.sum" "$scratch/go.sum"
  go mod edit -droprequire datasync -dropreplace datasync "$scratch/go.mod"
  printf '%s: ' "$folder"
  (cd "$folder" && go mod verify -modfile "$scratch/go.mod")
done
