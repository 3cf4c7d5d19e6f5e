import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TenantName } from '../../contract/values.ts'
import { type FpmBackend, FpmLifecycle } from './fpm-lifecycle.ts'
import { poolOf, tenantOf } from './fpm-pool.ts'
import { type Layout, layout } from './layout.ts'
import { installedPhp } from './php-versions.ts'

const name = TenantName.parse('acme')
const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const start = { name, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, php: installedPhp()[0] ?? '', limits }

let root: string
let places: Layout
let calls: string[]
let masters: Server[]
let lifecycle: FpmLifecycle

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-fpm-'))
  places = layout(root)
  for (const path of [places.fpmRun, places.customers.tenant(name)]) mkdirSync(path, { recursive: true })
  calls = []
  masters = []
  lifecycle = new FpmLifecycle(places, backend)
})

afterEach(() => {
  for (const master of masters) master.close()
  rmSync(root, { recursive: true })
})

/** Masters that answer every question. */
const backend: FpmBackend = {
  async launch({ name, uid, apart }) {
    calls.push('launch')
    const master = createServer((socket) => socket.on('data', () => socket.write('x')))
    masters.push(master)
    await new Promise<void>((resolve) => master.listen(places.fpmBoundSocket(uid, poolOf(name, apart)), resolve))
    return { failed: new Promise(() => {}) }
  },
  isThere: async () => false,
  async end() {
    calls.push('end')
  },
  activityOf: (pools) => pools.map((pool) => ({ tenant: tenantOf(pool), pool, isServing: false, work: '' })),
}

it('ends nothing where nothing was left: a wake is one launch', async () => {
  await lifecycle.start(start)

  expect(calls).toEqual(['launch'])
})

it.each([
  ['a start that was interrupted', () => places.fpmHiddenSocket(name)],
  ['a master that died', () => places.fpmSocket(name)],
])('ends what is left of %s before it launches', async (_, socket) => {
  writeFileSync(socket(), '')

  await lifecycle.start(start)

  expect(calls).toEqual(['end', 'launch'])
})

it('starts a version apart beside the own one, ends each alone, and both with their tenant', async () => {
  const apart = { ...start, apart: '8.1' as const }
  const awake = () => lifecycle.awake().map(({ pool }) => pool)
  await Promise.all([lifecycle.start(start), lifecycle.start(apart), lifecycle.start(apart)])
  expect([calls, awake().sort()]).toEqual([
    ['launch', 'launch'],
    ['acme', 'acme-8.1'],
  ])

  await lifecycle.stop('acme-8.1')
  expect(awake()).toEqual(['acme'])

  await lifecycle.start(apart)
  await lifecycle.stopAll(name)
  expect(awake()).toEqual([])
})

it('knows by the age of its own socket whether a master has read what is chosen', async () => {
  const isOutdated = () => lifecycle.awake().map((one) => one.isOutdated)
  mkdirSync(places.web.phpOptions(name), { recursive: true })
  await lifecycle.start({ ...start, apart: '8.1' })
  const later = new Date(Date.now() + 60_000)
  expect(isOutdated()).toEqual([false])

  utimesSync(places.web.phpOptions(name), later, later)
  expect(isOutdated()).toEqual([true])
})
