/** Locking: the people of a tenant are kept out while its sites go on being served. The machine has no part in it. */
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import { type Context, defineOperation } from '../context.ts'
import { type HeldThing, type HoldChange, suspend as hold, unsuspend as lift } from '../hold/hold.ts'
import { Held, holdRule, liftRule, lockInput, unsuspendInput } from '../hold/schema.ts'
import { conflict } from '../refusals.ts'
import { visibleTenant } from '../visibility.ts'
import { TenantRef } from './schema.ts'

const target = { tenant: TenantRef }
const policy = { scopes: ['global', 'reseller'], holders: ['reseller'] } as const

export const lock = defineOperation({
  name: 'tenant.lock',
  summary: 'Lock a tenant: its people are signed out and kept out, its sites go on',
  description: `Also while a job is at it. Its people can do nothing by page, API key or terminal. ${holdRule}`,
  effect: 'write',
  policy,
  http: 'POST /tenants/{tenant}/lock',
  positional: ['tenant'],
  confirm: 'Lock this tenant? Its people are signed out and kept out until it is unlocked; its sites are served on.',
  input: () => z.strictObject({ ...target, ...lockInput }),
  output: () => Held,
  async run(context, { tenant: ref, ...why }) {
    const thing = await lockable(context, ref)
    const close = async (change: HoldChange) => {
      await change()
      await context.users.endSessionsOfTenant(thing.id)
      return null
    }
    const { holds } = await hold(context, thing, why, close)
    return { id: thing.id, holds }
  },
})

export const unlock = defineOperation({
  name: 'tenant.unlock',
  summary: 'Lift a lock of a tenant: with the last one its people may sign in again',
  description: liftRule,
  effect: 'write',
  policy,
  http: 'POST /tenants/{tenant}/unlock',
  positional: ['tenant'],
  input: () => z.strictObject({ ...target, ...unsuspendInput }),
  output: () => Held,
  async run(context, { tenant: ref, reason }) {
    const thing = await lockable(context, ref)
    if ((await context.holds.of(thing)).length === 0)
      conflict(`unlock tenant "${thing.name}"`, 'it is not locked', 'There is nothing to do.')
    const open = async (change: HoldChange): Promise<Id | null> => {
      await change()
      return null
    }
    const { holds } = await lift(context, thing, reason, open)
    return { id: thing.id, holds }
  },
})

/** Never closed already: each lock ends what sessions there are. */
async function lockable(context: Context, ref: string): Promise<HeldThing> {
  const { id, name } = await visibleTenant(context, ref)
  await context.tenants.lock(id)
  return { kind: 'tenant', id, name, tenantId: id, isClosed: false, effect: 'lock' }
}
