/**
 * A PHP version for each site: real nginx, and two masters of one tenant. A release of Debian has one version of PHP, so the
 * second one is the same program under the name of another version, for as long as this file runs.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { fpmBinary } from '../../src/agent/os/fpm-command.ts'
import { poolOf } from '../../src/agent/os/fpm-pool.ts'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { PhpVersion } from '../../src/contract/values.ts'
import { ask, php, WebMachine } from './web-machine.ts'

/** The oldest that is not there: others take the newest of the machine. */
const second = PhpVersion.options.find((version) => !existsSync(fpmBinary(version))) ?? '8.1'
const shop = 'shop.example.com'
const blog = 'blog.example.com'
const tell = `<?php if (isset($_GET['slow'])) usleep(400000);
  echo json_encode([PHP_BINARY, ini_get('memory_limit')]);`

let machine: WebMachine
let acme: FpmStart
let apart: FpmStart

beforeAll(async () => {
  copyFileSync(fpmBinary(php), fpmBinary(second))
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  apart = { ...acme, php: second, apart: second }
  machine.addSite(acme, shop, { 'index.php': tell })
  machine.addSite(apart, blog, { 'index.php': tell })
})

afterAll(async () => {
  await machine?.shutDown()
  rmSync(fpmBinary(second), { force: true })
})

beforeEach(() => machine.services.stopTenant(acme.name))

const masters = () =>
  machine.processesOf(acme.uid).flatMap((pid) => {
    try {
      const isMaster = /^php-fpm: master/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      return isMaster ? [{ pid, program: readlinkSync(`/proc/${pid}/exe`) }] : []
    } catch {
      return [] // it has ended
    }
  })
const programs = () =>
  masters()
    .map(({ program }) => program)
    .sort()
const awake = async () => (await machine.services.awakeFpm()).map(({ pool }) => pool).sort()
const told = async (host: string, path = '/') => {
  const { status, body } = await ask(host, path)
  return status === 200 ? JSON.parse(body) : [status, body]
}
const own = () => fpmBinary(php)
const other = () => fpmBinary(second)

it('is woken for its own sites alone, each by the first who asks', async () => {
  expect(await awake()).toEqual([])
  expect((await told(shop))[0]).toBe(own())
  expect([programs(), await awake()]).toEqual([[own()], ['acme']])

  expect((await told(blog))[0]).toBe(other())
  expect(programs()).toEqual([own(), other()].sort())
  expect(await awake()).toEqual(['acme', poolOf(acme.name, second)])
  expect([(await told(shop))[0], (await told(blog))[0]]).toEqual([own(), other()])
})

it('is started once for each version, by many who ask at once', async () => {
  machine.starts.length = 0
  const asked = Array.from({ length: 24 }, (_, n) => told(n % 2 === 0 ? shop : blog))
  const seen = new Set((await Promise.all(asked)).map(([program]) => program))

  expect([seen.size, programs().length]).toEqual([2, 2])
  expect(machine.starts.filter((name) => name === 'acme')).toHaveLength(2)
})

it('is ended each by itself, and what it was answering is answered', async () => {
  await told(shop)
  const before = masters()
  await told(blog)
  const slow = told(blog, '/?slow')
  await sleep(100)
  await machine.services.stopFpm(poolOf(acme.name, second))

  expect((await slow)[1]).toBe('256M')
  expect([programs(), await awake()]).toEqual([[own()], ['acme']])
  expect((await told(shop))[0]).toBe(own())
  expect(masters()).toEqual(before)
  expect((await told(blog))[0]).toBe(other())

  await machine.services.stopFpm(acme.name)
  expect([programs(), await awake()]).toEqual([[other()], [poolOf(acme.name, second)]])
})

it('ends with the tenant, all of them', async () => {
  await Promise.all([told(shop), told(blog)])
  await machine.services.stopTenant(acme.name)

  expect([programs(), await awake(), await machine.services.runsAnything(acme.name)]).toEqual([[], [], false])
  expect(readdirSync(machine.places.fpmRun).filter((name) => name.endsWith('.sock'))).toEqual([])
})

it('rests and is stopped each by itself', async () => {
  await Promise.all([told(shop), told(blog)])
  const now = { ms: 0 }
  const reaper = machine.reaperBelow({ memoryBytes: 2 ** 50, tasks: 2 ** 30, leastAvailableBytes: 0 }, () => now.ms)
  await reaper.look()
  now.ms = 59_000
  await told(blog)
  await reaper.look()
  now.ms = 61_000
  await reaper.look()

  expect(await awake()).toEqual([poolOf(acme.name, second)])
})

it('has what is chosen for its sites, whichever version serves them', async () => {
  await machine.choosePhp(apart, blog, { memoryMb: 96 })
  expect([(await told(blog))[1], (await told(shop))[1]]).toEqual(['96M', '256M'])
  await machine.choosePhp(apart, blog, undefined)
})

it('is changed while visitors come, without one failed request', async () => {
  let isOver = false
  const failed: unknown[] = []
  const visitors = [shop, blog, blog].map(async (host) => {
    while (!isOver) {
      const { status, body } = await ask(host, '/')
      if (status !== 200) failed.push([host, status, body])
    }
  })
  for (const start of [acme, apart, acme, apart]) {
    machine.serveBy(start, blog)
    await sleep(400)
  }
  const programsThen = programs()
  isOver = true
  await Promise.all(visitors)

  expect(failed).toEqual([])
  expect(programsThen).toEqual([own(), other()].sort())
})
