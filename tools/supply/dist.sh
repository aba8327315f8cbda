#!/usr/bin/env bash
# Builds the commit that is checked out, whatever else lies in the folder, and puts the program,
# its SBOM and the checksums of both into a folder, dist unless another one is named.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "${1:-dist}"
dist=$(realpath "${1:-dist}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git clone -q --no-hardlinks . "$scratch/datasync"
name="datasync-$(go env GOOS)-$(go env GOARCH)"
(cd "$scratch/datasync" && go build -trimpath -buildvcs=true -o "$dist/$name" .)
tools/supply/sbom.sh "$dist/$name" >"$scratch/sbom"
mv "$scratch/sbom" "$dist/$name.cdx.json"
(cd "$dist" && sha256sum "$name" "$name.cdx.json" >SHA256SUMS && cat SHA256SUMS)
