#!/usr/bin/env bash
# Looks at the pages in Debian's Chromium, with axe-core and the Nu checker from npm.
#
#     run.sh [arguments of go test]
#
# It installs Chromium where there is none and this user may (root, with apt-get), and keeps the files
# from npm in the user's cache, by their hashes. Where one of them cannot be had, or there is no Java for
# the checker, it says so.
set -euo pipefail
cd "$(dirname "$0")"

have_chromium() {
  command -v chromium >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return
  apt-get -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install --yes --no-install-recommends \
      chromium fonts-dejavu-core >/dev/null
}

cached() { # name of a constant with a hash, name of the file
  local sum
  sum=$(sed -n "s/^const $1 = \"\(.*\)\"\$/\1/p" ./*.go)
  printf '%s' "${XDG_CACHE_HOME:-$HOME/.cache}/datasync-browser/${sum:0:12}/$2"
}
BROWSER_AXE=$(cached axeSum axe.min.js) BROWSER_NU=$(cached nuSum vnu.jar)
export BROWSER_AXE BROWSER_NU

keep() { # file, place in the cache
  mkdir -p "$(dirname "$2")" && cp "$1" "$2.$$" && mv "$2.$$" "$2"
}

have_npm_files() {
  [ ! -f "$BROWSER_AXE" ] || [ ! -f "$BROWSER_NU" ] || return 0
  command -v npm >/dev/null || return
  local scratch
  scratch=$(mktemp -d)
  cp package.json package-lock.json "$scratch/"
  npm --prefix "$scratch" --silent --no-audit --no-fund --ignore-scripts ci &&
    keep "$scratch/node_modules/axe-core/axe.min.js" "$BROWSER_AXE" &&
    keep "$scratch/node_modules/vnu-jar/build/dist/vnu.jar" "$BROWSER_NU"
  local code=$?
  rm -rf "$scratch"
  return $code
}

if ! have_chromium; then
  printf '!! NOT SEEN IN A BROWSER: it needs Chromium (apt-get install chromium)\n' >&2
elif ! have_npm_files; then
  printf '!! NOT SEEN IN A BROWSER: it needs axe-core and vnu-jar (npm)\n' >&2
else
  command -v java >/dev/null || printf '!! THE HTML IS NOT VALIDATED: it needs Java 11 (apt-get install default-jre-headless)\n' >&2
  [ $# -gt 0 ] || set -- ./...
  BROWSER_REQUIRED=1 go test -count=1 -timeout 30m "$@"
fi
