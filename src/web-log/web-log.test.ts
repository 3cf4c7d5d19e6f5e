import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
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
  const kept = lines.filter((line) => line.startsWith('[error] x')).length
  expect(kept).toBeLessThan(20)
  expect(lines).toContainEqual('[error] heard, host: "other.example"')
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
