/** Role `wcpd self-check`: what of the executable can go wrong on a strange machine. The build runs it on each result, any uid may. */
import { setTimeout } from 'node:timers/promises'
import { assetNames } from './assets.ts'
import { koffi } from './native-koffi.ts'
import { openDatabase } from './native-sqlite.ts'
import { cacheAsset, compilePackedRole } from './packed-role.ts'
import { roleNames } from './roles.ts'

/**
 * Prints a line per finding; 1 when one of them is bad. A rejected code cache is bad here and harmless elsewhere.
 * `--fail` shows what a stack trace tells, `--wait` stays a minute to be looked at.
 */
export async function main(argv: string[]): Promise<number> {
  if (argv.includes('--fail')) failOnPurpose()
  const results = [check('koffi', callLibc), check('sqlite', querySqlite), ...roleNames.map(checkBundle)]
  for (const { line } of results) process.stdout.write(`${line}\n`)
  if (argv.includes('--wait')) await setTimeout(60_000)
  return results.every(({ isGood }) => isGood) ? 0 : 1
}

function failOnPurpose(): never {
  throw new Error('Cannot go on: failing was asked for')
}

function checkBundle(role: string): Result {
  return check(`role ${role}`, () => {
    if (!assetNames('roles/').includes(cacheAsset(role))) throw new Error('no code cache')
    if (compilePackedRole(role).cachedDataRejected) throw new Error('code cache rejected')
    return 'code cache accepted'
  })
}

function callLibc(): string {
  const uid: unknown = koffi().load('libc.so.6').func('unsigned int getuid()')()
  if (uid !== process.getuid?.()) throw new Error(`getuid() answers ${uid}`)
  return `getuid() answers ${uid}`
}

function querySqlite(): string {
  const database = openDatabase(':memory:')
  return `version ${database.prepare('select sqlite_version()').pluck().get()}`
}

interface Result {
  readonly line: string
  readonly isGood: boolean
}

function check(subject: string, find: () => string): Result {
  try {
    return { line: `ok   ${subject}: ${find()}`, isGood: true }
  } catch (error) {
    return { line: `bad  ${subject}: ${error instanceof Error ? error.message : error}`, isGood: false }
  }
}
