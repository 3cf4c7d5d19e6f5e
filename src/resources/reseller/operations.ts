/** Resellers: people with customers, packages and limits of their own. None of them sees another's. */
import { z } from 'zod'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, listInput, pageOf, searchInput } from '../listing.ts'
import { conflict, taken } from '../refusals.ts'
import { demandHolding } from '../rights.ts'
import { refuseStronger } from '../user/guards.ts'
import { Password, refuseEmailAsPassword } from '../user/password.ts'
import { Email, UserStatus } from '../user/schema.ts'
import { scopeOf } from '../visibility.ts'
import { withinAllotment } from './allotment.ts'
import { Reseller, ResellerLimits, ResellerRef } from './schema.ts'

const target = { reseller: ResellerRef }

function limit(to: number, description: string) {
  const error = `a whole number from 0 to ${to}, or null for no limit`
  return z.int({ error }).min(0, { error }).max(to, { error }).nullable().describe(description)
}

const limits = {
  maxTenants: limit(1_000_000, 'Tenants that the reseller may have'),
  maxDomains: limit(100_000_000, 'Domains that the packages of all tenants may allow together'),
  cpuPct: limit(10_000_000, 'CPU of all tenants together, in percent of one core'),
  memMb: limit(1_000_000_000, 'Memory of all tenants together, in MB'),
  pids: limit(100_000_000, 'Processes and threads of all tenants together'),
  ioMbps: limit(100_000_000, 'Disk throughput of all tenants together, in MB per second'),
  diskMb: limit(1_000_000_000_000, 'Disk space of all tenants together, in MB'),
  maxDatabases: limit(100_000_000, 'Databases that the packages of all tenants may allow together'),
}

export const list = defineOperation({
  name: 'reseller.list',
  summary: 'List resellers',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /resellers',
  positional: [],
  columns: ['email', 'status', 'tenants', 'maxTenants', 'memMb', 'diskMb'],
  input: () =>
    z.strictObject({
      status: UserStatus.optional().describe('Resellers in this status only'),
      ...searchInput,
      ...deletedInput,
      ...listInput,
    }),
  output: () => pageOf(Reseller),
  run: ({ resellers, actor }, input) => resellers.list({ ...input, scope: scopeOf(actor) }),
})

export const get = defineOperation({
  name: 'reseller.get',
  summary: 'Show a reseller, what he may give away and what he has given',
  effect: 'read',
  policy: { scopes: ['global', 'reseller'] },
  http: 'GET /resellers/{reseller}',
  positional: ['reseller'],
  input: () => z.strictObject(target),
  output: () => Reseller,
  async run({ resellers, actor }, input) {
    const scope = scopeOf(actor)
    return (await resellers.find(input.reseller, { scope })) ?? resellers.get(input.reseller, { scope, deleted: true })
  },
})

export const create = defineOperation({
  name: 'reseller.create',
  summary: 'Create a reseller',
  description: 'Makes the user too, with the role reseller. A limit that is left out, or null, is no limit.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  stepUp: true,
  http: 'POST /resellers',
  positional: ['email'],
  secret: ['password'],
  input: () =>
    z.strictObject({
      email: Email.describe('E-mail address, with which the reseller signs in'),
      password: Password,
      maxTenants: limits.maxTenants.default(null),
      maxDomains: limits.maxDomains.default(null),
      cpuPct: limits.cpuPct.default(null),
      memMb: limits.memMb.default(null),
      pids: limits.pids.default(null),
      ioMbps: limits.ioMbps.default(null),
      diskMb: limits.diskMb.default(null),
      maxDatabases: limits.maxDatabases.default(null),
    }),
  output: () => Done,
  async run(context, { email, password, ...limits }) {
    const what = `create reseller "${email}"`
    refuseEmailAsPassword(what, email, password)
    const role = await context.roles.get('reseller')
    demandHolding(context.actor, what, new Set(role.permissions))
    await refuseTaken(context, what, email)
    const [id, user] = [context.newId(), context.newId()]
    const passwordHash = await context.hashPassword(password)
    await context.users.insert({ id: user, email, passwordHash, role: role.name, tenantId: null })
    await context.resellers.insert(id, user, limits)
    return { id }
  },
})

export const update = defineOperation({
  name: 'reseller.update',
  summary: 'Change what a reseller may give away',
  description: 'Refused where more is allocated already. Address and password are changed at the user.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  stepUp: true,
  http: 'PATCH /resellers/{reseller}',
  positional: ['reseller'],
  input: () =>
    z.strictObject({
      ...target,
      maxTenants: limits.maxTenants.optional(),
      maxDomains: limits.maxDomains.optional(),
      cpuPct: limits.cpuPct.optional(),
      memMb: limits.memMb.optional(),
      pids: limits.pids.optional(),
      ioMbps: limits.ioMbps.optional(),
      diskMb: limits.diskMb.optional(),
      maxDatabases: limits.maxDatabases.optional(),
    }),
  output: () => Done,
  async run(context, { reseller: ref, ...changed }) {
    const { id, email } = await context.resellers.get(ref)
    await withinAllotment(context, `update reseller "${email}"`, id, async () => {
      const present = ResellerLimits.strip().parse(await context.resellers.get(id))
      await context.resellers.setLimits(id, { ...present, ...given(changed) })
    })
    return { id }
  },
})

export const remove = defineOperation({
  name: 'reseller.delete',
  summary: 'Move a reseller and the person to the trash',
  description: 'Refused while a tenant belongs to the reseller, also one in the trash.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  stepUp: true,
  http: 'DELETE /resellers/{reseller}',
  positional: ['reseller'],
  confirm: 'Move this reseller to the trash? The reseller can be restored within 30 days.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { id, email, userId } = await context.resellers.get(input.reseller)
    const what = `delete reseller "${email}"`
    await refuseStronger(context, what, await context.users.get(userId))
    await context.resellers.lock(id)
    const tenants = await context.resellers.countTenants(id)
    if (tenants > 0)
      conflict(
        what,
        `${tenants === 1 ? '1 tenant belongs' : `${tenants} tenants belong`} to it`,
        'Delete those tenants first; "wcp tenant list --reseller" names them. Tenants in the trash count too.',
      )
    await context.resellers.setDeleted(id, context.now)
    await context.users.setDeleted(userId, context.now)
    await context.users.endSessions(userId)
    return { id }
  },
})

export const restore = defineOperation({
  name: 'reseller.restore',
  summary: 'Bring a reseller back from the trash',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  http: 'POST /resellers/{reseller}/restore',
  positional: ['reseller'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { id, email, userId } = await context.resellers.get(input.reseller, { deleted: true })
    const what = `restore reseller "${email}"`
    await refuseStronger(context, what, await context.users.get(userId, { deleted: true }))
    await refuseTaken(context, what, email)
    await context.users.setDeleted(userId, null)
    await context.resellers.setDeleted(id, null)
    return { id }
  },
})

async function refuseTaken({ users }: Context, what: string, address: string): Promise<void> {
  await users.lock(address)
  if (await users.find(address)) taken(what, 'email', address, 'an address that no other user has')
}

/** Fields that are left out stay. */
function given(changed: { [K in keyof ResellerLimits]?: number | null | undefined }): Partial<ResellerLimits> {
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined))
}
