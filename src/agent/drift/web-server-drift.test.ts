import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFiles } from '../os/files.ts'
import { layout } from '../os/layout.ts'
import type { Machine } from '../os/machine.ts'
import { withOurNeeds } from '../render/nginx-main.ts'
import { webServerDrift } from './web-server-drift.ts'

const workersGid = 994
const wwwGid = 33

describe.skipIf(process.getuid?.() !== 0)('what differs about the web server', () => {
  let root: string
  let machine: Pick<Machine, 'files' | 'places'>
  let key: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wcp-drift-'))
    const places = layout(root)
    machine = { places, files: createFiles({ root, owner: 0 }) }
    key = join(places.web.defaultTls, places.web.keyFile)
    for (const path of [places.web.defaultTls, dirname(places.nginxSite)]) mkdirSync(path, { recursive: true })
    for (const path of [places.web.trash, places.customers.trash]) mkdirSync(path, { recursive: true, mode: 0o700 })
    writeFileSync(places.nginxSite, 'server {}\n', { mode: 0o644 })
    chmodSync(places.web.defaultTls, 0o750)
    writeFileSync(key, 'the key itself', { mode: 0o640 })
    for (const path of [places.web.defaultTls, key]) chownSync(path, 0, workersGid)
    writeFileSync(places.nginxConfig, withOurNeeds('user www-data;\nevents {}\n'), { mode: 0o644 })
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const text = () => ({ path: machine.places.nginxSite, text: 'server {}\n', mode: 0o644, uid: 0, gid: 0 })
  const told = async () => JSON.stringify(await webServerDrift(machine as Machine, workersGid, [text()]))

  it('is nothing after a start of the agent', async () => {
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
