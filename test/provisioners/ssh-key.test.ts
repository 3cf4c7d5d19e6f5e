import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { DriftReport } from '../../src/contract/wire.ts'
import { Bench, newId } from './bench.ts'
import { leadUp, scenarios, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'ssh-key.create') // a tenant with a first key
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const path = () => `${bench.root}/var/lib/wcp360-web/tenants/acme/authorized_keys`
const keys = () => readFileSync(path(), 'utf8').trimEnd().split('\n')
const second = scenarios['ssh-key.create'].payload
const named = { name: 'another', key: second.key }

it('writes all keys of a tenant where sshd reads them as the tenant, and nobody else does', async () => {
  await bench.run('ssh-key.create', second)

  expect(keys()).toHaveLength(2)
  expect(keys()).toContain(`restrict,pty ${second.key}`)
  expect(statSync(path()).mode & 0o777).toBe(0o640)
})

it('takes the record away in which an older version had them', async () => {
  const older = `${bench.root}/etc/userdb/acme.user-privileged`
  writeFileSync(older, '{}')

  await bench.run('ssh-key.create', second)

  expect(() => readFileSync(older)).toThrow('ENOENT')
})

it('says to sshd when and from where a key lets in', async () => {
  const terms = { expiresAt: '2027-01-31T12:30:15.000Z', addresses: ['203.0.113.0/24', '2001:db8::/32'] }

  await bench.run('ssh-key.create', { ...second, ...terms })

  expect(keys()).toContain(
    `restrict,pty,expiry-time="20270131123015Z",from="203.0.113.0/24,2001:db8::/32" ${second.key}`,
  )
})

it.each([
  ['a quotation', ['203.0.113.7",command="id']],
  ['a name', ['example.com']],
  ['a negation', ['!203.0.113.7']],
  ['a pattern', ['203.0.113.*']],
  ['two in one', ['203.0.113.7,*']],
  ['bits beside the range', ['203.0.113.7/24']],
])('refuses %s where addresses stand', async (_, addresses) => {
  expect(await bench.run('ssh-key.create', { ...second, addresses })).toMatchObject({ failure: { code: 'bad_input' } })
  expect(keys()).toHaveLength(1)
})

it('takes the file away with the last key', async () => {
  expect(await bench.run('ssh-key.delete', scenarios['ssh-key.delete'].payload)).toMatchObject({ failure: null })

  expect(() => keys()).toThrow('ENOENT')
})

it('goes with its tenant and comes back with it', async () => {
  const before = keys()
  await bench.run('tenant.delete', { tenant })
  expect(() => keys()).toThrow('ENOENT')

  await bench.run('tenant.restore', { tenant })

  expect(keys()).toEqual(before)
})

it('is watched for drift', async () => {
  rmSync(path())

  const report = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport

  expect(report.flatMap(({ changes }) => changes.map(({ step }) => step))).toEqual([`file ${path()}`])
})

it('is listed for the comparison with the panel, and as its tenant is', async () => {
  const list = async () => (await bench.ask({ t: 'inventory', of: 'ssh-key', after: null })).value
  expect(await list()).toMatchObject([{ name: 'laptop', state: 'active' }])

  await bench.run('tenant.delete', { tenant })

  expect(await list()).toMatchObject([{ name: 'laptop', state: 'trashed' }])
})

it('refuses the key of another tenant', async () => {
  const other = '66666666-6666-4666-8666-666666666666'
  await bench.run('tenant.create', { ...scenarios['tenant.create'].payload, tenant: other, name: 'other' })
  const { 'ssh-key': id } = scenarios['ssh-key.delete'].payload

  const { failure } = await bench.run('ssh-key.delete', { tenant: other, 'ssh-key': id })

  expect(failure).toMatchObject({ code: 'not_found' })
})

it('is one of fifty at most, whatever the panel counts, and each of them can be changed', async () => {
  const ended = []
  for (let n = 0; n < 50; n++) ended.push(await bench.run('ssh-key.create', { ...second, 'ssh-key': newId() }))
  const codes = ended.map(({ failure }) => failure?.code)

  expect(codes.filter((code) => code === undefined)).toHaveLength(49)
  expect(codes.at(-1)).toBe('limit_reached')
  expect(keys()).toHaveLength(50)
  expect(await bench.run('ssh-key.create', { ...scenarios['ssh-key.delete'].payload, ...named })).toMatchObject({
    failure: null,
  })
})
