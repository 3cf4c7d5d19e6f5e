/** Whether sites answer, as this machine found it. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { defineOperation } from '../context.ts'
import { Flag } from '../listing.ts'
import { scopeOf } from '../visibility.ts'
import { SiteProbe } from './schema.ts'

const DomainRef = z
  .union([Id, DomainName], { error: 'the id or the name of a domain' })
  .describe('Domain, by id or name')
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

export const get = defineOperation({
  name: 'probe.get',
  summary: 'Show whether a site has answered, day by day',
  description:
    'This machine asks its own web server once a minute for each site, and writes what it found every quarter of an hour and when a site begins or ends to fail.',
  effect: 'read',
  policy,
  http: 'GET /domains/{domain}/probe',
  positional: ['domain'],
  input: () => z.strictObject({ domain: DomainRef }),
  output: () => SiteProbe,
  async run(context, { domain }) {
    return await context.probes.of(await context.domains.get(domain, { scope: scopeOf(context.actor) }))
  },
})

export const update = defineOperation({
  name: 'probe.update',
  summary: 'Choose how a site is probed',
  effect: 'write',
  policy,
  http: 'PATCH /domains/{domain}/probe',
  positional: ['domain'],
  input: () =>
    z.strictObject({
      domain: DomainRef,
      deep: Flag.describe('Also ask for the first page each minute, which wakes PHP'),
    }),
  output: () => z.strictObject({ id: Id, deep: z.boolean() }),
  async run(context, { domain, deep }) {
    const { id } = await context.domains.get(domain, { scope: scopeOf(context.actor) })
    await context.probes.setDeep(id, deep)
    return { id, deep }
  },
})
