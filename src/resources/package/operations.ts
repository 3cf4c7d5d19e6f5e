/** Packages: what tenants may use, under the names that are sold. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { type EgressPolicy, Id, Line, TenantLimits } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, Flag, listInput, pageOf, searchInput } from '../listing.ts'
import { badInput, conflict, taken } from '../refusals.ts'
import { withinAllotment } from '../reseller/allotment.ts'
import { chooseSeller } from '../reseller/choose-seller.ts'
import { ResellerRef } from '../reseller/schema.ts'
import { tenantLimit } from '../tenant/jobs.ts'
import { isStaff, scopeOf } from '../visibility.ts'
import { Feature, features } from './features.ts'
import { changedLimits, limitsOf, newLimits } from './limits.ts'
import { Package, PackageName, PackageRef } from './schema.ts'

const name = PackageName.describe('Name of the package')
const description = Line.max(200, { error: 'at most 200 characters' }).describe('What it is for')
const isSystem = Flag.describe('Its reseller sells it, and only staff changes it')
const given = z
  .array(Feature, { error: 'a list of features' })
  .describe(
    'What its tenants may do: api: their people make API keys; cron: they have cron jobs; databases: they have databases',
  )
const isDefault = Flag.describe('Take it wherever no package is named')
const target = { package: PackageRef }

export const list = defineOperation({
  name: 'package.list',
  summary: 'List packages',
  effect: 'read',
  policy: { scopes: ['global', 'reseller'] },
  http: 'GET /packages',
  positional: [],
  columns: ['name', 'isDefault', 'maxDomains', 'cpuPct', 'memMb', 'pids', 'ioMbps', 'diskMb', 'tenants'],
  input: () =>
    z.strictObject({
      reseller: ResellerRef.optional().describe('Packages of this reseller only'),
      ...listInput,
      ...searchInput,
      ...deletedInput,
    }),
  output: () => pageOf(Package),
  async run({ packages, resellers, actor }, { reseller, ...query }) {
    const scope = scopeOf(actor)
    const resellerId = reseller === undefined ? undefined : (await resellers.get(reseller, { scope })).id
    return packages.list({ ...query, resellerId, scope })
  },
})

export const get = defineOperation({
  name: 'package.get',
  summary: 'Show a package',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /packages/{package}',
  positional: ['package'],
  input: () => z.strictObject(target),
  output: () => Package,
  async run({ packages, actor }, input) {
    const scope = scopeOf(actor)
    const living = await packages.find(input.package, { scope })
    return packages.counted(living ?? (await packages.get(input.package, { scope, deleted: true })))
  },
})

export const create = defineOperation({
  name: 'package.create',
  summary: 'Create a package',
  description: 'A limit that is left out, or null, is no limit. The first package becomes the default.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'] },
  http: 'POST /packages',
  positional: ['name'],
  input: () =>
    z.strictObject({
      name,
      description: description.default(''),
      features: given.default([...features]),
      ...newLimits,
      isSystem: isSystem.default(false),
      isDefault: isDefault.default(false),
      reseller: ResellerRef.optional().describe('Reseller whose package it is'),
    }),
  output: () => Done,
  async run(context, { isDefault, reseller, ...input }) {
    const { packages } = context
    const what = 'create the package'
    const owner = await chooseSeller(context, what, reseller)
    mayOpen(context, what, input.egress, owner)
    if (input.isSystem) mayProtect(context, what)
    await refuseTaken(context, what, input.name, owner)
    const id = context.newId()
    await withinAllotment(context, what, owner, () => packages.insert(id, input, owner))
    if (isDefault || (await packages.findDefault(owner)) === undefined) await packages.makeDefault(id)
    return { id }
  },
})

/** So many tenants get their new limits at once; the others as soon as these are queued. */
const atOnce = 200

export const update = defineOperation({
  name: 'package.update',
  summary: 'Change a package',
  description:
    'New limits of the machine are applied to every tenant that has the package, by one job for each. Tenants that have a job at the moment get theirs after it.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'] },
  http: 'PATCH /packages/{package}',
  positional: ['package'],
  input: () =>
    z.strictObject({
      ...target,
      name: name.optional(),
      description: description.optional(),
      features: given.optional(),
      ...changedLimits,
      isSystem: isSystem.optional(),
      isDefault: isDefault.optional(),
    }),
  output: () => z.strictObject({ id: Id, jobId: Id.nullable(), jobIds: z.array(Id) }),
  async run(context, { package: ref, isDefault, ...values }) {
    const { packages, tenants } = context
    const before = await packages.get(ref, { scope: scopeOf(context.actor) })
    const what = `update package "${before.name}"`
    refuseProtected(context, what, before)
    if (values.isSystem !== undefined && values.isSystem !== before.isSystem) mayProtect(context, what)
    if (before.resellerId !== null) await context.resellers.lock(before.resellerId)
    await packages.lock(before.id)
    if (isDefault === false && before.isDefault)
      conflict(`update package "${before.name}"`, 'it is the default', 'Make another package the default instead.')
    if (values.name !== undefined && values.name !== before.name)
      await refuseTaken(context, 'rename the package', values.name, before.resellerId)
    if (values.egress !== before.egress) mayOpen(context, what, values.egress, before.resellerId)
    await withinAllotment(context, what, before.resellerId, () => packages.update(before.id, values))
    if (isDefault) await packages.makeDefault(before.id)

    const limits = limitsOf(await packages.get(before.id))
    const jobIds: Id[] = []
    if (Object.keys(TenantLimits.shape).some((key) => differs(limits, limitsOf(before), key))) {
      await tenants.oweLimits(before.id)
      for (const tenant of await tenants.owedLimits(atOnce, before.id)) {
        jobIds.push(await context.enqueue(tenantLimit, { tenant: tenant.id, limits }, tenants.limitsQueued))
      }
    }
    return { id: before.id, jobId: jobIds[0] ?? null, jobIds }
  },
})

export const remove = defineOperation({
  name: 'package.delete',
  summary: 'Move a package to the trash',
  description: 'Refused while a tenant has it, also one in the trash, and for the default package.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'] },
  stepUp: true,
  http: 'DELETE /packages/{package}',
  positional: ['package'],
  confirm: 'Move this package to the trash? It can be restored within 30 days.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { packages, actor, now } = context
    const found = await packages.get(input.package, { scope: scopeOf(actor) })
    refuseProtected(context, `delete package "${found.name}"`, found)
    await packages.lock(found.id)
    const users = await packages.countTenants(found.id)
    if (users > 0)
      conflict(
        `delete package "${found.name}"`,
        `${users === 1 ? '1 tenant has' : `${users} tenants have`} it`,
        'Give those tenants another package first; "wcp tenant list --package" names them. Tenants in the trash count too.',
      )
    if (found.isDefault)
      conflict(`delete package "${found.name}"`, 'it is the default', 'Make another package the default first.')
    await packages.setDeleted(found.id, now)
    return { id: found.id }
  },
})

export const restore = defineOperation({
  name: 'package.restore',
  summary: 'Bring a package back from the trash',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'] },
  http: 'POST /packages/{package}/restore',
  positional: ['package'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { packages, actor } = context
    const found = await packages.get(input.package, { scope: scopeOf(actor), deleted: true })
    const what = 'restore the package'
    refuseProtected(context, what, found)
    await refuseTaken(context, what, found.name, found.resellerId)
    await withinAllotment(context, what, found.resellerId, () => packages.setDeleted(found.id, null))
    return { id: found.id }
  },
})

/** Among the packages of one owner: of another's nobody learns anything. */
async function refuseTaken({ packages }: Context, what: string, name: string, owner: Id | null): Promise<void> {
  await packages.lock(name)
  if (await packages.find(name, { owner })) taken(what, 'name', name, 'a name that no other package has')
}

/** Mail that others take for the server's own, and the provider's addresses, are the server's owner's to give. */
function mayOpen({ actor }: Context, what: string, egress: EgressPolicy | undefined, owner: Id | null): void {
  if (owner === null || scopeOf(actor).kind === 'global' || egress === undefined) return
  if (egress === 'open' || egress === 'smtp')
    badInput(what, { field: 'egress', problem: `may not be "${egress}" for a reseller`, accepted: 'default or none' })
}

/** What staff has made for a reseller is sold by him as it is. */
function refuseProtected({ actor }: Context, what: string, { isSystem }: Pick<Package, 'isSystem'>): void {
  if (isSystem && !isStaff(actor))
    throw new WcpError('forbidden', `Cannot ${what}: only staff of the panel changes it`, {
      help: 'Make a package of your own, or ask who runs this server.',
    })
}

function mayProtect({ actor }: Context, what: string): void {
  if (!isStaff(actor))
    badInput(what, { field: 'isSystem', problem: 'is for staff of the panel alone', accepted: 'nothing here' })
}

function differs(one: object, other: object, key: string): boolean {
  return Reflect.get(one, key) !== Reflect.get(other, key)
}
