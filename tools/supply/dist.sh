#!/usr/bin/env bash
# Builds the commit that is checked out, whatever else lies in the folder, and puts both programs,
# their SBOMs and the checksums of all into a folder, dist unless another one is named.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "${1:-dist}"
dist=$(realpath "${1:-dist}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git clone -q --no-hardlinks . "$scratch/datasync"
platform="$(go env GOOS)-$(go env GOARCH)"
build() { # name, folder of the module, package
  (cd "$scratch/datasync/$2" && go build -trimpath -buildvcs=true -o "$dist/$1-$platform" "$3")
  tools/supply/sbom.sh "$dist/$1-$platform" >"$scratch/sbom"
  mv "$scratch/sbom" "$dist/$1-$platform.cdx.json"
}
build datasync . .
build datasync-lake lake ./cmd/datasync-lake
(cd "$dist" && sha256sum datasync-"$platform"{,.cdx.json} datasync-lake-"$platform"{,.cdx.json} >SHA256SUMS && cat SHA256SUMS)
