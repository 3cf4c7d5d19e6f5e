/** Where tenants' processes may connect to, asked of a kernel: in a namespace of its own, with an "internet" beside it. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { DriftReport } from '../../src/contract/wire.ts'

const main = fileURLToPath(new URL('egress-main.ts', import.meta.url))
const Reached = z.record(z.string(), z.string())
const Results = z.object({
  missing: z.array(z.string()),
  before: Reached,
  tenant: Reached,
  mailer: Reached,
  trusted: Reached,
  closed: Reached,
  root: Reached,
  panel: Reached,
  afterFlush: Reached,
  afterEdit: Reached,
  drift: z.array(DriftReport),
  tables: z.string(),
  warnings: z.array(z.string()),
})

let results: z.output<typeof Results>

beforeAll(() => {
  const argv = ['--net', process.execPath, main]
  results = Results.parse(
    JSON.parse(execFileSync('/usr/bin/unshare', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })),
  )
}, 120_000)

const internet = ['198.51.100.7', '2001:db8::7']
const provider = ['169.254.169.254', '168.63.129.16', 'fd00:ec2::254']
const web = internet.map((host) => `${host} 80`)
const mail = internet.map((host) => `${host} 25`)
const metadata = provider.map((host) => `${host} 80`)
const ownSites = ['127.0.0.1 80', '198.51.100.1 80']
const ownServices = ['127.0.0.1 9001', '::1 9001']
const foreignServices = ['127.0.0.1 3306', '127.0.0.1 631', '127.0.0.1 9002']
const remote = [...internet, ...provider].flatMap((host) => [`${host} 25`, `${host} 80`])

function reachedOf(found: Record<string, string>, targets: readonly string[]): readonly string[] {
  return targets.filter((target) => found[target] === 'reached')
}

describe('processes of a tenant', () => {
  it('reach everything where there are no rules, which is what these tests stand on', () => {
    const all = [...ownSites, ...ownServices, ...foreignServices, ...remote]

    expect(reachedOf(results.before, all)).toEqual(all)
    expect(results.missing).toEqual([])
  })

  it.each([
    ['the internet', web, web],
    ['sites of this machine, also by its own address', ownSites, ownSites],
    ['what they serve to themselves on loopback', ownServices, ownServices],
    ["not the provider's addresses", metadata, []],
    ['not port 25 of others', mail, []],
    ["not this machine's services, nor another tenant's", foreignServices, []],
  ])('reach %s', (_, targets, expected) => {
    expect(reachedOf(results.tenant, targets)).toEqual(expected)
  })

  it('are told at once that they may not, instead of waiting', () => {
    const refused = [...metadata, ...mail, '127.0.0.1 631'].map((target) => results.tenant[target])

    expect(new Set(refused)).toEqual(new Set(['refused']))
  })

  it.each([
    ['smtp', 'mailer', [...mail, ...web]],
    ['open', 'trusted', remote],
    ['none', 'closed', []],
  ] as const)('reach with the policy %s what it says', (_, who, expected) => {
    expect([...reachedOf(results[who], remote)].sort()).toEqual([...expected].sort())
  })

  it.each(['trusted', 'closed'] as const)(
    'keep the sites of this machine, and are kept from its services: %s',
    (who) => {
      expect(reachedOf(results[who], ownSites)).toEqual(ownSites)
      expect(reachedOf(results[who], [...foreignServices, ...ownServices])).toEqual([])
    },
  )
})

it.each(['root', 'panel'] as const)('leaves %s alone', (who) => {
  const all = [...ownSites, ...ownServices, ...foreignServices, ...remote]

  expect(reachedOf(results[who], all)).toEqual(all)
})

describe('rules that somebody', () => {
  it('flushed are put back', () => {
    expect(reachedOf(results.afterFlush, remote)).toEqual(web)
  })

  it('flushed or edited are listed as drift until then', () => {
    const actions = results.drift.map((report) => report.flatMap(({ changes }) => changes.map(({ action }) => action)))

    expect(actions).toEqual([[], ['create'], ['change']])
    expect(results.drift[1]).toMatchObject([{ resource: 'nftables: table inet wcp360' }])
  })

  it('edited are put back, and told of once each; tables of the administrator stay', () => {
    expect(reachedOf(results.afterEdit, remote)).toEqual([])
    expect(results.warnings).toHaveLength(2)
    expect(results.tables).toMatch(/table inet administrator/)
  })
})
