/** Sessions by SSH as the panel is told of them: from the records that `wcpd-session` leaves. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SshSessions } from '../../src/contract/ssh-session.ts'
import { Bench, newId } from './bench.ts'
import { leadUp, scenarios, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'ssh-key.delete') // a tenant with a key
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const second = scenarios['ssh-key.create'].payload // its text is another one
const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

/** As `wcpd-session` writes it. */
function leave(text: string, id: string = newId()): string {
  writeFileSync(join(bench.places.sessionsRun, id), text)
  return id
}

async function told(ids: readonly string[] = []) {
  return SshSessions.parse((await bench.ask({ t: 'ssh_sessions', told: ids })).value)
}

it('are told by tenant and key, the oldest first', async () => {
  await bench.run('ssh-key.create', { ...second, name: 'desktop' })
  const later = leave(`acme\n1767225700\n-\nssh-ed25519 AAAA\n`)
  const first = leave(`acme\n1767225600\n203.0.113.7\n${second.key}\n`)

  expect(await told()).toEqual([
    {
      id: first,
      tenant,
      at: '2026-01-01T00:00:00.000Z',
      from: '203.0.113.7',
      key: { id: second['ssh-key'], name: 'desktop' },
      isOpen: false,
    },
    { id: later, tenant, at: '2026-01-01T00:01:40.000Z', from: null, key: null, isOpen: false },
  ])
})

it('are forgotten once they are over and were told back', async () => {
  const one = leave('acme\n1767225600\n-\n-\n')
  const other = leave('acme\n1767225601\n-\n-\n')

  expect((await told([one])).map(({ id }) => id)).toEqual([other])
  expect(existsSync(join(bench.places.sessionsRun, one))).toBe(false)
  expect(existsSync(join(bench.places.sessionsRun, other))).toBe(true)
})

it('are the newest 2,000 of those that are over, whether the panel asks or not', async () => {
  const ids = Array.from({ length: 2003 }, (_, at) => leave(`acme\n${1_767_225_600 + at}\n-\n-\n`))

  expect((await told()).map(({ id }) => id)).toEqual(ids.slice(3, 503))
  expect(readdirSync(bench.places.sessionsRun)).toHaveLength(2000)
})

it.each([
  ['another name than an id', 'acme\n1\n-\n-\n', '.part'],
  ['a tenant that is not there', 'other\n1\n-\n-\n', undefined],
  ['no name of a tenant', '../etc\n1\n-\n-\n', undefined],
  ['a line too many', 'acme\n1\n-\n-\n\n', undefined],
  ['half of it', 'acme\n1', undefined],
])('are none with %s', async (_, text, name) => {
  leave(text, name)

  expect(await told()).toEqual([])
})

it('that are not there are ended already', async () => {
  expect(await bench.ask({ t: 'end_ssh', session: newId() })).toMatchObject({ value: null, failure: null })
})

it('of a tenant whose package gives less are none that a job would have to end, when none is open', async () => {
  leave('acme\n1767225600\n-\n-\n')
  await bench.run('tenant.limit', { tenant, limits: { ...limits, sshAccess: 'shell' } })

  expect(await bench.run('tenant.limit', { tenant, limits })).toMatchObject({ failure: null })
})
