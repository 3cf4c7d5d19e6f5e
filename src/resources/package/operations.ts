/** Packages: what tenants may use, under the names that are sold. */
import { z } from 'zod'
import { Id, TenantLimits } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, Flag, listInput, pageOf, searchInput } from '../listing.ts'
import { conflict, taken } from '../refusals.ts'
import { tenantLimit } from '../tenant/jobs.ts'
import { changedLimits, limitsOf, newLimits } from './limits.ts'
import { Package, PackageName, PackageRef } from './schema.ts'

const name = PackageName.describe('Name of the package')
const description = z.string().trim().max(200, { error: 'at most 200 characters' }).describe('What it is for')
const isDefault = Flag.describe('Take it wherever no package is named')
const target = { package: PackageRef }

export const list = defineOperation({
  name: 'package.list',
  summary: 'List packages',
  effect: 'read',
  http: 'GET /packages',
  positional: [],
  columns: ['name', 'isDefault', 'maxDomains', 'cpuPct', 'memMb', 'pids', 'ioMbps', 'diskMb', 'tenants'],
  input: z.strictObject({ ...listInput, ...searchInput, ...deletedInput }),
  output: pageOf(Package),
  run: ({ packages }, input) => packages.list(input),
})

export const get = defineOperation({
  name: 'package.get',
  summary: 'Show a package',
  effect: 'read',
  http: 'GET /packages/{package}',
  positional: ['package'],
  input: z.strictObject(target),
  output: Package,
  run: async ({ packages }, input) =>
    (await packages.find(input.package)) ??
    (await packages.find(input.package, { deleted: true })) ??
    packages.get(input.package),
})

export const create = defineOperation({
  name: 'package.create',
  summary: 'Create a package',
  description: 'A limit that is left out, or null, is no limit. The first package becomes the default.',
  effect: 'write',
  http: 'POST /packages',
  positional: ['name'],
  input: z.strictObject({
    name,
    description: description.default(''),
    ...newLimits,
    isDefault: isDefault.default(false),
  }),
  output: Done,
  async run(context, { isDefault, ...input }) {
    const { packages } = context
    await refuseTaken(context, 'create the package', input.name)
    const id = context.newId()
    await packages.insert(id, input)
    if (isDefault || (await packages.findDefault()) === undefined) await packages.makeDefault(id)
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
  http: 'PATCH /packages/{package}',
  positional: ['package'],
  input: z.strictObject({
    ...target,
    name: name.optional(),
    description: description.optional(),
    ...changedLimits,
    isDefault: isDefault.optional(),
  }),
  output: z.strictObject({ id: Id, jobId: Id.nullable(), jobIds: z.array(Id) }),
  async run(context, { package: ref, isDefault, ...values }) {
    const { packages, tenants } = context
    const before = await packages.get(ref)
    await packages.lock(before.id)
    if (isDefault === false && before.isDefault)
      conflict(`update package "${before.name}"`, 'it is the default', 'Make another package the default instead.')
    if (values.name !== undefined && values.name !== before.name)
      await refuseTaken(context, 'rename the package', values.name)
    await packages.update(before.id, values)
    if (isDefault) await packages.makeDefault(before.id)

    const limits = limitsOf(await packages.get(before.id))
    const jobIds: Id[] = []
    if (Object.keys(TenantLimits.shape).some((key) => differs(limits, limitsOf(before), key))) {
      await tenants.oweLimits(before.id)
      for (const tenant of await tenants.owedLimits(atOnce, before.id)) {
        jobIds.push(await context.enqueue(tenantLimit, { tenant: tenant.id, limits }))
        await tenants.limitsQueued(tenant.id)
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
  http: 'DELETE /packages/{package}',
  positional: ['package'],
  confirm: 'Move this package to the trash? It can be restored within 30 days.',
  input: z.strictObject(target),
  output: Done,
  async run({ packages, now }, input) {
    const found = await packages.get(input.package)
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
  http: 'POST /packages/{package}/restore',
  positional: ['package'],
  input: z.strictObject(target),
  output: Done,
  async run(context, input) {
    const found = await context.packages.get(input.package, { deleted: true })
    await refuseTaken(context, 'restore the package', found.name)
    await context.packages.setDeleted(found.id, null)
    return { id: found.id }
  },
})

async function refuseTaken({ packages }: Context, what: string, name: string): Promise<void> {
  await packages.lock(name)
  if (await packages.find(name)) taken(what, 'name', name, 'a name that no other package has')
}

function differs(one: object, other: object, key: string): boolean {
  return Reflect.get(one, key) !== Reflect.get(other, key)
}
