#!/usr/bin/env bash
# Builds the commit that is checked out twice, in folders of other names and depths, with other
# folders for temporary files, another language, zone and umask, and compares the programs and
# their SBOMs. With COLD=1 each is compiled from nothing, which takes minutes; else Go's cache
# may give what is compiled, and linking, where C's tools come in, is done twice. What was built
# is left in the folder that is named, if one is.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build() { # folder
  mkdir -p "$scratch/$1/tmp"
  git clone -q --no-hardlinks . "$scratch/$1/source"
  [ -z "${COLD:-}" ] || export GOCACHE="$scratch/$1/cache"
  TMPDIR="$scratch/$1/tmp" "$scratch/$1/source/tools/supply/dist.sh" "$scratch/$1/dist"
}
(export LC_ALL=C TZ=UTC; build a)
(export LC_ALL=C.UTF-8 TZ=Pacific/Kiritimati; umask 077; build further/down)
if ! diff "$scratch/a/dist/SHA256SUMS" "$scratch/further/down/dist/SHA256SUMS"; then
  echo 'the same commit, built twice, gave other bytes' >&2
  exit 1
fi
if [ $# -gt 0 ]; then
  cp "$scratch"/a/dist/* "$1"
fi
