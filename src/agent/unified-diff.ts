/** A unified diff with one hunk: what two texts share at both ends is left out. Enough for the small files that are managed. */
import { createHash } from 'node:crypto'

const longest = 20_000

export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const old = lines(before && withoutKeys(before))
  const fresh = lines(after && withoutKeys(after))
  const head = sharedAtStart(old, fresh)
  const tail = sharedAtStart(old.slice(head).reverse(), fresh.slice(head).reverse())
  const removed = old.slice(head, old.length - tail)
  const added = fresh.slice(head, fresh.length - tail)
  const text = [
    `--- ${before === undefined ? '/dev/null' : path}`,
    `+++ ${after === undefined ? '/dev/null' : path}`,
    `@@ -${range(head, removed.length)} +${range(head, added.length)} @@`,
    ...removed.map((line) => `-${withoutSecret(line)}`),
    ...added.map((line) => `+${withoutSecret(line)}`),
  ].join('\n')
  return text.length > longest ? `${text.slice(0, longest - 4)}\n...` : text
}

/** `start,length` as diff(1) writes it: an empty range names the line before it. */
function range(head: number, length: number): string {
  return `${length === 0 ? head : head + 1},${length}`
}

function lines(text: string | undefined): string[] {
  if (text === undefined || text === '') return []
  return text.replace(/\n$/, '').split('\n')
}

function sharedAtStart(one: readonly string[], other: readonly string[]): number {
  const differs = one.findIndex((line, index) => line !== other[index])
  return differs < 0 ? Math.min(one.length, other.length) : differs
}

/** A diff is stored, mailed and shown: a private key that somebody wrote into a file is not. */
function withoutKeys(text: string): string {
  const key = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g
  return text.replaceAll(key, (found) => `[private key, SHA-256 ${createHash('sha256').update(found).digest('hex')}]`)
}

const hidden = '[not shown]'
/** Names of settings whose values are nobody's to read, and the environment, where programs look for such values. */
const secretName =
  /^([;#\s]*[\w.-]*\[?[\w.-]*(?:passw|passphrase|_pw|secret|token|api_?key|credential|dsn)[\w.-]*\]?\s*=\s*)\S.*$/i
const environment = /^([;#\s]*env\[(?!(?:PATH|HOME|USER|TMPDIR)\])[^\]]*\]\s*=\s*)\S.*$/
const fastcgiOrHeader = /^([;#\s]*\w+\s+"?[\w-]*(?:authorization|passw|secret|token|api[_-]?key)[\w-]*"?\s+)\S.*$/i
const inUrl = /(:\/\/[^\s/:@]*:)[^\s/@]+@/g

/** The same of what a line of a configuration sets. */
function withoutSecret(line: string): string {
  for (const setting of [secretName, environment, fastcgiOrHeader])
    if (setting.test(line)) return line.replace(setting, `$1${hidden}`)
  return line.replaceAll(inUrl, `$1${hidden}@`)
}
