import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFiles } from '../os/files.ts'
import { layout } from '../os/layout.ts'
import type { Machine } from '../os/machine.ts'
import { directories } from '../prepare.ts'
import { withOurNeeds } from '../render/nginx-main.ts'
import { webServerDrift } from './web-server-drift.ts'

const workersGid = 994
const wwwGid = 33

const account = (id: number) => ({ uid: id, gid: id })
const accounts = { panel: account(901), waker: account(902), log: account(903), webGid: wwwGid }

describe.skipIf(process.getuid?.() !== 0)('what differs about the web server', () => {
  let root: string
  let machine: Machine
  let key: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wcp-drift-'))
    const places = layout(root)
    machine = { places, files: createFiles({ root, owner: 0 }), accounts: { workersGid } } as Machine // the rest is not asked for
    key = join(places.web.defaultTls, places.web.keyFile)
    for (const path of [places.web.defaultTls, dirname(places.nginxSite)]) mkdirSync(path, { recursive: true })
    for (const [path, { mode, uid, gid }] of own()) {
      mkdirSync(path, { recursive: true })
      chmodSync(path, mode)
      chownSync(path, uid, gid)
    }
    writeFileSync(places.nginxSite, 'server {}\n', { mode: 0o644 })
    chmodSync(places.web.defaultTls, 0o750)
    writeFileSync(key, 'the key itself', { mode: 0o640 })
    for (const path of [places.web.defaultTls, key]) chownSync(path, 0, workersGid)
    writeFileSync(places.nginxConfig, withOurNeeds('user www-data;\nevents {}\n'), { mode: 0o644 })
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const own = () => directories(machine.places, { ...accounts, workers: { name: 'wcp360-web', gid: workersGid } })
  const text = () => ({ path: machine.places.nginxSite, text: 'server {}\n', mode: 0o644, uid: 0, gid: 0 })
  const told = async () => JSON.stringify(await webServerDrift(machine, { directories: own(), texts: [text()] }))

  it('is nothing after a start of the agent', async () => {
    expect(await told()).toBe('[]')
  })

  it('is nothing where the gate above all customers is open, because tenants have no views of their own', async () => {
    chmodSync(machine.places.customers.root, 0o711)
    chownSync(machine.places.customers.root, 0, 0)

    expect(await told()).toBe('[]')
  })

  it.each([
    ['a key that others may read', () => chownSync(key, 0, wwwGid), `gid ${wwwGid} instead of ${workersGid}`],
    ['a key with another mode', () => chmodSync(key, 0o644), 'mode 0644 instead of 0640'],
    ['a directory that is open', () => chmodSync(dirname(key), 0o755), 'mode 0755 instead of 0750'],
    [
      'a trash that others may enter',
      () => chmodSync(machine.places.customers.trash, 0o711),
      'mode 0711 instead of 0700',
    ],
    ['secrets that others may enter', () => chmodSync(machine.places.secrets, 0o755), 'mode 0755 instead of 0700'],
    [
      'a state of the panel that is not its own',
      () => chownSync(machine.places.panelState, 0, 0),
      `uid 0 instead of ${accounts.panel.uid}`,
    ],
    [
      'records of users that are gone',
      () => rmSync(machine.places.userdb, { recursive: true }),
      '/etc/userdb","action":"create"',
    ],
    [
      'what cannot be looked at, beside the rest',
      () => chownSync(machine.places.customers.root, 20000, 0),
      'uid 20000 instead of 0',
    ],
    [
      'a configuration that was changed by hand',
      () => writeFileSync(machine.places.nginxSite, 'server { listen 81; }\n'),
      '-server { listen 81; }',
    ],
    [
      'workers under the account of others',
      () => writeFileSync(machine.places.nginxConfig, 'user www-data;\nevents {}\n'),
      '+user wcp360-web;',
    ],
  ])('is %s, and the key is not told', async (_, change, words) => {
    change()

    expect(await told()).toContain(words)
    expect(await told()).not.toContain('the key itself')
  })
})
