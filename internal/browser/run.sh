#!/usr/bin/env bash
# Looks at the pages in Debian's Chromium, with axe-core from npm.
#
#     run.sh [arguments of go test]
#
# It installs Chromium where there is none and this user may (root, with apt-get), and keeps axe-core
# in the user's cache, by the hash in package-lock.json. Where one of them cannot be had, it says so.
set -euo pipefail
cd "$(dirname "$0")"

have_chromium() {
  command -v chromium >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return
  apt-get -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install --yes --no-install-recommends \
      chromium fonts-dejavu-core >/dev/null
}

sum=$(sed -n 's/^const axeSum = "\(.*\)"$/\1/p' browser.go)
export BROWSER_AXE="${XDG_CACHE_HOME:-$HOME/.cache}/datasync-browser/${sum:0:12}/axe.min.js"

have_axe() {
  [ ! -f "$BROWSER_AXE" ] || return 0
  command -v npm >/dev/null || return
  local scratch
  scratch=$(mktemp -d)
  cp package.json package-lock.json "$scratch/"
  npm --prefix "$scratch" --silent --no-audit --no-fund --ignore-scripts ci &&
    mkdir -p "$(dirname "$BROWSER_AXE")" &&
    cp "$scratch/node_modules/axe-core/axe.min.js" "$BROWSER_AXE.$$" && mv "$BROWSER_AXE.$$" "$BROWSER_AXE"
  local code=$?
  rm -rf "$scratch"
  return $code
}

if ! have_chromium; then
  printf '!! NOT SEEN IN A BROWSER: it needs Chromium (apt-get install chromium)\n' >&2
elif ! have_axe; then
  printf '!! NOT SEEN IN A BROWSER: it needs axe-core (npm)\n' >&2
else
  [ $# -gt 0 ] || set -- ./...
  BROWSER_REQUIRED=1 go test -count=1 -timeout 30m "$@"
fi
