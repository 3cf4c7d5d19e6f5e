import { expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import { type Inventory, inventoryPage } from '../../contract/wire.ts'
import type { InventoryRow } from '../store-tools.ts'
import { inventoryDiff } from './inventory-diff.ts'

const id = (number: number) => Id.parse(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`)

type Records = readonly (readonly [number: number, state: Inventory[number]['state']])[]
type Sides = Parameters<typeof inventoryDiff>[0]
type Rows = readonly (readonly [number: number, status: string])[]

/** Both sides in pages, as they are read; each look may find something else. */
function sides(looks: readonly { machine: Records; store: Rows }[]) {
  let begun = 0
  const at = () => looks[Math.min(begun, looks.length) - 1] ?? { machine: [], store: [] }
  const page = <T extends { id: Id }>(all: readonly T[], after: Id | null) =>
    all.filter((one) => after === null || one.id > after).slice(0, inventoryPage)
  const none = { inventory: async (): Promise<InventoryRow[]> => [] }
  return {
    machine: {
      async inventory(of: string, after: Id | null): Promise<Inventory> {
        if (of === 'domains') return []
        if (after === null) begun++
        return page(
          at().machine.map(([number, state]) => ({ id: id(number), name: `t${number}`, state })),
          after,
        )
      },
    },
    kinds: [
      { name: 'tenant', inventory: { of: 'tenants', rows: (stores: Sides) => stores.tenants } },
      { name: 'domain', inventory: { of: 'domains', rows: (stores: Sides) => stores.domains } },
    ],
    tenants: {
      inventory: async (after: Id | null): Promise<InventoryRow[]> =>
        page(
          at().store.map(([number, status]) => ({ id: id(number), name: `t${number}`, status })),
          after,
        ),
    },
    domains: none,
  } as unknown as Sides // three questions of the many
}

const told = async (...looks: Parameters<typeof sides>[0]) =>
  (await inventoryDiff(sides(looks))).map(({ resource, changes }) => `${resource}: ${changes[0]?.step}`)

it('tells what one side alone has, and where they say different things', async () => {
  const machine: Records = [
    [1, 'active'],
    [2, 'active'],
    [3, 'suspended'],
    [5, 'trashed'],
    [7, 'active'],
  ]
  const store: Rows = [
    [1, 'active'],
    [3, 'active'],
    [4, 'active'],
    [5, 'deleted'],
    [7, 'deleted'],
  ]
  expect(await told({ machine, store })).toEqual([
    "tenant t2: active on the machine, not there in the panel's store",
    "tenant t3: suspended on the machine, active in the panel's store",
    "tenant t4: not there on the machine, active in the panel's store",
    "tenant t7: active on the machine, in the trash in the panel's store",
  ])
})

it('leaves alone what a job is at, what waits for a proof, and who is locked', async () => {
  const machine: Records = [
    [1, 'making'],
    [2, 'active'],
    [3, 'purging'],
    [5, 'suspended'],
  ]
  const store: Rows = [
    [1, 'active'],
    [2, 'deploying'],
    [4, 'unverified'],
    [5, 'locked'],
    [6, 'error'],
  ]
  expect(await told({ machine, store })).toEqual([])
})

it('looks again, because a job may have ended between the looks at the two sides', async () => {
  const early = { machine: [[1, 'active']], store: [] } as const
  const late = { machine: [[1, 'active']], store: [[1, 'active']] } as const
  expect(await told(early, late)).toEqual([])
  expect(await told(early, early)).toHaveLength(1)
})

it('reads both sides page by page, and counts what is too much to tell', async () => {
  const numbers = Array.from({ length: 2 * inventoryPage + 7 }, (_, index) => index)
  const all: Rows = numbers.map((number) => [number, 'active'])
  const same: Records = numbers.map((number) => [number, 'active'])
  expect(await told({ machine: same, store: all })).toEqual([])

  const found = await told({ machine: [], store: all })
  expect(found).toHaveLength(501)
  expect(found.at(-1)).toBe('others: 507 more tenants and domains differ; they are shown when these are settled')
})
