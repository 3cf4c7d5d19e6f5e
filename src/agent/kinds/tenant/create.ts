import { join } from 'node:path'
import { WcpError } from '../../../contract/errors.ts'
import type { TenantLimits, TenantName } from '../../../contract/values.ts'
import { tenantCreate } from '../../../resources/tenant/jobs.ts'
import { uidRange } from '../../os/tenant-uids.ts'
import { identity, mustBeFree, type Tenant, tenantIn } from '../judge.ts'
import { provision, type World } from '../provisioner.ts'
import { liveTenant, tenantFacts } from './facts.ts'

type Target = { readonly tenant: Tenant; readonly limits: TenantLimits; readonly isNew: boolean }

export const createTenant = provision(tenantCreate, {
  async target({ tenant: id, name, limits }, world): Promise<Target> {
    if (world.registry.tenant(id) !== undefined) {
      const known = tenantIn(world.registry, id, ['active'])
      if (known.name === name) return { tenant: identity(known), limits, isNew: false }
      throw new WcpError('conflict', `Cannot name tenant "${known.name}" anew as "${name}": its id is in use`)
    }
    await mustBeUnknown(world, name)
    const uid = await freeUid(world)
    return { tenant: { id, name, uid, gid: uid }, limits, isNew: true }
  },
  reserve(registry, { tenant: { id, name, uid }, limits, isNew }) {
    if (isNew) registry.addTenant({ id, name, uid, limits, state: 'making' })
  },
  steps: ({ tenant, limits }, machine) => [...tenantFacts(machine, tenant, limits), liveTenant(machine, tenant)],
  settle(registry, { tenant: { id }, limits }) {
    registry.setTenantState(id, 'active')
    registry.setLimits(id, limits)
  },
  release: (registry, { tenant }) => registry.dropTenant(tenant.id),
  foresee: ({ tenant: { id, name, uid }, limits }) => ({ id, name, uid, limits, state: 'active' }),
})

/** Neither a tenant, nor a user, a group or a unit of this machine has the name, and nothing is where the tenant will be (C14). */
async function mustBeUnknown(world: World, name: TenantName): Promise<void> {
  const { registry, accounts, machine } = world
  if (registry.tenantNamed(name) !== undefined) throw taken(name, 'a tenant')
  if (await accounts.userExists(name)) throw taken(name, 'a user of this machine')
  if (await accounts.groupExists(name)) throw taken(name, 'a group of this machine')
  const { places, files } = machine
  const units = ['service', 'slice', 'socket', 'target'].map((kind) => `${name}.${kind}`)
  const unit = units.find((one) => places.units.some((directory) => files.existsNow(join(directory, one))))
  if (unit !== undefined) throw taken(name, `the unit "${unit}"`)
  mustBeFree(world, [places.customers.tenant(name), places.web.tenant(name)])
}

function taken(name: TenantName, by: string): WcpError {
  return new WcpError('conflict', `Cannot use the name "${name}": ${by} has it`, {
    help: 'Choose another name for the tenant.',
  })
}

/** Given out upwards; numbers that something on this machine uses are left out. */
async function freeUid({ registry, accounts }: World): Promise<number> {
  for (let uid = registry.nextUid(); uid <= uidRange.last; uid++) {
    if (!(await accounts.userExists(uid)) && !(await accounts.groupExists(uid))) return uid
  }
  throw new WcpError('limit_reached', `Cannot give a user id: all up to ${uidRange.last} have been used`, {
    help: 'User ids are never used twice; put further tenants on another machine.',
  })
}
