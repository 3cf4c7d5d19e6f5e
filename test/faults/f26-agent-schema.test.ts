/** F26: the agent killed, and refused, at each system call of a change of its database's schema. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { schemaOf } from '../../src/agent/jobs/migrate-agent.ts'
import { agentMigrations } from '../../src/agent/jobs/migrations/index.ts'
import { openDatabase } from '../../src/program/native-sqlite.ts'
import { Bench } from '../provisioners/bench.ts'
import { leadUp } from '../provisioners/scenarios.ts'
import { toOlderSchema } from '../support/older-agent-database.ts'
import { calls, casesAt, type Fault } from './crash-calls.ts'
import { asRow, isWhole, seed } from './rows.ts'

const main = join(import.meta.dirname, 'schema-main.ts')
const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
const newest = agentMigrations.length

let bench: Bench
beforeAll(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'domain.purge')
  await bench.engine.close()
  toOlderSchema(bench.places.agentDatabase, newest - 1)
  copyFileSync(bench.places.agentDatabase, join(bench.root, 'older'))
})
afterAll(() => bench.remove())

it('is as before or as after, and whole, whichever system call was the last one', async () => {
  const cases = enumerate().filter((_, index) => isWhole || index % 24 === seed % 24)

  await asRow(
    'F26',
    `schema of agent.db, ${cases.length} calls killed or refused`,
    'as before or as after; the next start ends it',
    async () => {
      const seen = cases.map((one) => afterFault(one.call, one.n, one.fault))

      expect(seen.flat()).toEqual([])
      expect(cases.length).toBeGreaterThan(5)
    },
  )
})

/** Calls that touch the database or its copy, by name and number within their thread; of a long run of writes, its ends. */
function enumerate() {
  reset()
  const trace = join(bench.root, 'trace')
  strace(['-y', '-o', trace, '-e', `trace=${calls.join(',')}`])
  const counts = new Map<string, number>()
  const points = readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, thread = '', call = '', rest = ''] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? []
      const key = `${thread} ${call}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      const isRead = call === 'openat' && !rest.includes('O_CREAT')
      return /agent\.db/.test(rest) && !isRead ? [{ thread: 'main' as const, call, n: counts.get(key) ?? 0 }] : []
    })
  expect(schemaNow()).toBe(newest)
  expect(points.map(({ call }) => call)).toEqual(expect.arrayContaining(['pwrite64', 'fsync', 'rename']))
  return casesAt(
    points.filter(
      ({ call }, index) =>
        !isAmongMany(
          points.map((one) => one.call),
          index,
          call,
        ),
    ),
  )
}

function isAmongMany(all: readonly string[], index: number, call: string): boolean {
  return index >= 6 && all.slice(index - 6, index + 7).every((one) => one === call)
}

/** @returns what did not hold */
function afterFault(call: string, n: number, fault: Fault): readonly string[] {
  reset()
  const what = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`
  strace(['-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${n}`])
  const name = `${call} ${n} ${fault}`
  const between = schemaNow()
  const again = spawnSync(process.execPath, [main, bench.root], { env, encoding: 'utf8' })
  const wrong = [
    ...([newest - 1, newest].includes(between) ? [] : [`${name}: schema ${between}`]),
    ...(again.status === 0 && schemaNow() === newest ? [] : [`${name}: the next start failed: ${again.stderr}`]),
    ...(tenants() === '["acme"]' ? [] : [`${name}: tenants are ${tenants()}`]),
  ]
  return wrong
}

function strace(words: readonly string[]): void {
  spawnSync('/usr/bin/strace', ['-f', ...words, process.execPath, main, bench.root], { env })
}

function reset(): void {
  const path = bench.places.agentDatabase
  const directory = dirname(path)
  for (const name of readdirSync(directory).filter((one) => /^agent\.db[-.](?!made$)/.test(one)))
    rmSync(join(directory, name))
  copyFileSync(join(bench.root, 'older'), path)
}

function schemaNow(): number {
  const database = openDatabase(bench.places.agentDatabase)
  const found = schemaOf(database)
  database.close()
  return found
}

function tenants(): string {
  const database = openDatabase(bench.places.agentDatabase)
  const found = database.prepare('select name from tenants').pluck().all()
  database.close()
  return JSON.stringify(found)
}
