import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebLog } from './web-log.ts'

let root: string
let said: object[]
let at: number

const limits = {
  access: { size: 2000, kept: 2, share: 1500, sharePerSecond: 0 },
  error: { size: 2000, kept: 2, share: 500, sharePerSecond: 0 },
}

beforeEach(() => {
  root = mkdtempSync('/tmp/wcp-web-log-')
  said = []
  at = 0
  for (const name of ['logs', 'hosts']) mkdirSync(join(root, name))
  for (const name of ['acme', 'other', 'third', 'fourth', 'fifth'])
    symlinkSync(`../tenants/${name}/sites/${name}.example`, join(root, 'hosts', `${name}.example`))
  symlinkSync('../tenants/acme/sites/acme.example', join(root, 'hosts/alias.example'))
})

afterEach(() => rmSync(root, { recursive: true }))

function open(): WebLog {
  const say = (facts: object, msg: string) => void said.push({ ...facts, msg })
  return new WebLog({ directory: join(root, 'logs'), hosts: join(root, 'hosts'), say, now: () => at }, limits)
}

function error(log: WebLog, host: string, text = 'x'): void {
  log.take('error', Buffer.from(`<187>Nov 28 20:27:22 wcp360: [error] ${text}, host: "${host}"`))
}

const file = (name: string) => readFileSync(join(root, 'logs', name), 'utf8')

it('gives a tenant its share over all names of its sites, and tells in the log and to the daemon what it dropped', () => {
  const log = open()

  for (let n = 0; n < 100; n++) error(log, n % 2 ? 'acme.example' : 'alias.example')
  error(log, 'other.example', 'heard')
  log.settle()
  log.write()

  const lines = file('error.log').trim().split('\n')
  const kept = lines.filter((line) => line.startsWith('acme [error] x')).length
  expect(kept).toBeLessThan(20)
  expect(lines).toContainEqual('other [error] heard, host: "other.example"')
  expect(lines.at(-1)).toMatch(new RegExp(` ${100 - kept} lines of acme were dropped`))
  expect(said).toEqual([expect.objectContaining({ log: 'error', tenant: 'acme', lines: 100 - kept })])
})

it('never holds more than its files, however many tenants write', () => {
  const log = open()

  for (const name of ['acme', 'other', 'third', 'fourth', 'fifth'])
    for (let n = 0; n < 50; n++) {
      log.take('access', Buffer.from(`<190>Nov 28 20:27:22 wcp360: {"time":"x","host":"${name}.example"}`))
      log.write()
    }

  const files = readdirSync(join(root, 'logs')).filter((name) => name.startsWith('access'))
  expect(files.sort()).toEqual(['access.log', 'access.log.1', 'access.log.2'])
  for (const name of files) expect(statSync(join(root, 'logs', name)).size).toBeLessThanOrEqual(2000)
  expect(file('access.log')).toContain('fifth.example')
})

it('says the same of a tenant once an hour', () => {
  const log = open()
  const flood = () => {
    for (let n = 0; n < 100; n++) error(log, 'acme.example')
    log.settle()
  }

  flood()
  flood()
  expect(said).toHaveLength(1)
  at = 3_600_001
  flood()

  expect(said).toHaveLength(2)
})

describe('traffic', () => {
  const counters = () => JSON.parse(file('traffic.json')) as Record<string, { since: string; sent: number }>
  const request = (log: WebLog, host: string, sent: number, uri = '/') =>
    log.take(
      'access',
      Buffer.from(
        `<190>Nov 28 20:27:22 wcp360: {"time":"x","host":"${host}","uri":"${uri}","status":200,"sent":${sent},"received":9}`,
      ),
    )
  beforeEach(() => {
    for (const name of ['acme', 'other']) mkdirSync(join(root, 'tenants', name), { recursive: true })
  })

  it('is counted for a tenant over all names of its sites, also when the line is dropped, and goes on after a restart', () => {
    const log = open()
    for (let n = 0; n < 100; n++) request(log, n % 2 ? 'acme.example' : 'alias.example', 1000)
    request(log, 'other.example', 7)
    request(log, 'nobody.example', 7)
    log.settle()

    const again = open()
    request(again, 'acme.example', 1)
    again.settle()

    expect(counters()).toMatchObject({ acme: { sent: 100_001 }, other: { sent: 7 } })
    expect(Object.keys(counters())).toHaveLength(2)
  })

  it('is not what a visitor writes into the address', () => {
    const log = open()

    request(log, 'acme.example', 5, String.raw`/\",\"status\":200,\"sent\":999999999,\"x\":\"`)
    log.settle()

    expect(counters().acme?.sent).toBe(5)
  })

  it('begins anew for a name whose tenant was gone', () => {
    const log = open()
    request(log, 'acme.example', 5)
    log.settle()
    rmSync(join(root, 'tenants/acme'), { recursive: true })
    log.settle()
    expect(counters()).toEqual({})

    mkdirSync(join(root, 'tenants/acme'))
    request(log, 'acme.example', 2)
    log.settle()

    expect(counters().acme?.sent).toBe(2)
  })

  it('begins anew when its file was spoiled, and the logs go on', () => {
    writeFileSync(join(root, 'logs/traffic.json'), '{"acme":')
    const log = open()
    request(log, 'acme.example', 3)
    log.settle()

    expect(counters().acme?.sent).toBe(3)
  })
})
