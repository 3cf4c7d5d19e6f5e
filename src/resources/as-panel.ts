/** The context of work that the panel does in its own name, without being asked. */
import { newId } from '../store/new-id.ts'
import type { Context } from './context.ts'
import { type Stores, withStores } from './stores.ts'

export type PanelContext = Stores & Pick<Context, 'now' | 'enqueue'>

export function asPanel(stores: Stores, now: string): PanelContext {
  const own: Pick<Context, 'now' | 'enqueue'> = {
    now,
    async enqueue(contract, payload, change) {
      const by = { id: newId(), actor: 'panel', actorId: null, isStaff: false, waitsForTenant: true } as const
      return (await stores.jobs.enqueue(contract, payload, by, change)).id
    },
  }
  return withStores(stores, own)
}
