#!/usr/bin/env bash
# node_modules for a build on a machine without npm: what package-lock.json names comes by curl from the registry that is
# configured, and is checked by its digest. npm itself would have to be fetched first, and reads the whole history of each
# package; Debian's own, which is the way without such a setting, brings almost 400 others.
# It needs curl. "--is-configured" only tells whether it can work.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
readonly kept=$root/dist/packages

# As npm finds it: environment, the user's settings, the machine's settings.
registry() {
  local found=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-}}
  [ -n "$found" ] || found=$(cat "$root/.npmrc" ~/.npmrc /etc/npmrc 2>/dev/null | sed -n 's/^registry[[:space:]]*=[[:space:]]*//p' | head -n 1)
  printf '%s' "${found%/}"
}

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

registry=$(registry)
readonly registry
[ -n "$registry" ] || die 'npm is not installed and no registry is configured; run "apt-get install npm", or name one in ~/.npmrc'
[ "${1:-}" != --is-configured ] || exit 0

# Lines "DIRECTORY NAME VERSION INTEGRITY": every package that is neither for development nor for another machine.
locked() {
  awk '
    function value() { sub(/^[^:]*: */, ""); gsub(/[",]/, ""); return $0 }
    /^    "node_modules\/.*": \{$/ {
      directory = $1; gsub(/[":]/, "", directory)
      name = directory; sub(/^.*node_modules\//, "", name)
      version = integrity = ""; is_left_out = is_list = 0
      next
    }
    directory == "" { next }
    /^      "name": / { name = value() }
    /^      "version": / { version = value() }
    /^      "integrity": / { integrity = value() }
    /^      "(dev|devOptional|inBundle)": true/ { is_left_out = 1 }
    /^      "(os|cpu|libc)": \[/ { is_list = 1; is_ours = 0 }
    is_list && /^        "(linux|x64|glibc)"/ { is_ours = 1 }
    is_list && /^      \]/ { is_list = 0; if (!is_ours) is_left_out = 1 }
    /^    \}/ { if (!is_left_out) print directory, name, version, integrity; directory = "" }
  ' "$root/package-lock.json"
}

[[ "$registry" =~ ^https?://[^\"\\[:space:]]+$ ]] || die "this is no address of a registry: $registry"
rm -rf -- "$kept"
mkdir -p "$kept"
locked >"$kept/locked"

declare -A url_of=()
directories=() files=() digests=()
while read -r directory name version integrity; do
  [[ "$directory $name" =~ ^(node_modules/(@[a-z0-9._-]+/)?[a-z0-9._-]+/?)+\ (@[a-z0-9._-]+/)?[a-z0-9._-]+$ ]] ||
    die "package-lock.json names a strange package: $directory"
  [[ "$version" =~ ^[0-9A-Za-z.+-]+$ ]] || die "package-lock.json has no version of $directory"
  [[ "$integrity" =~ ^sha512-[A-Za-z0-9+/]{86}==$ ]] || die "package-lock.json has no SHA-512 digest of $directory"
  file=$kept/${name//\//+}-$version.tgz
  directories+=("$directory") files+=("$file") digests+=("${integrity#sha512-}")
  url_of[$file]=$registry/$name/-/${name##*/}-$version.tgz
done <"$kept/locked"
[ "${#files[@]}" -gt 0 ] || die 'package-lock.json names no package'

for file in "${!url_of[@]}"; do printf 'url = "%s"\noutput = "%s"\n' "${url_of[$file]}" "$file"; done >"$kept/transfers"
curl --config "$kept/transfers" --parallel --parallel-max 8 --fail --fail-early --no-progress-meter --location --retry 3 \
  --max-time 900

# As sha512sum wants them; one process for all.
mapfile -t digests < <(printf '%s\n' "${digests[@]}" | base64 -d | od -An -v -tx1 -w64 | tr -d ' ')
for index in "${!files[@]}"; do printf '%s  %s\n' "${digests[index]}" "${files[index]}"; done >"$kept/digests"
sha512sum --check --quiet --strict "$kept/digests" || die 'what the registry sent is not what package-lock.json names'

for index in "${!files[@]}"; do
  mkdir -p "$kept/${directories[index]}"
  tar -xzf "${files[index]}" -C "$kept/${directories[index]}" --strip-components=1 --no-same-owner --no-same-permissions
done
rm -rf -- "$root/node_modules"
mv -- "$kept/node_modules" "$root/node_modules"
rm -rf -- "$kept"
