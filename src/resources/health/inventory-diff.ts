/**
 * Tenants and domains of which panel and machine do not say the same, as after a store that was put back from a backup: what
 * was made since is on the machine alone, what was removed since is in the store alone. It is told, and nothing is changed.
 */
import type { Id } from '../../contract/values.ts'
import { type DriftReport, type Inventory, inventoryPage } from '../../contract/wire.ts'
import type { Context } from '../context.ts'
import type { InventoryRow } from '../store-tools.ts'
import type { Stores } from '../stores.ts'

type Sides = Pick<Context, 'kinds'> & { readonly machine: Pick<Context['machine'], 'inventory'> } & Stores
type Standing = 'active' | 'suspended' | 'in the trash' | 'not there'
/** Few words for each: after a restore all of a large machine may differ. */
interface Unlike {
  /** `tenant acme` */
  readonly resource: string
  /** The word of each side. */
  readonly step: string
}

/** More are counted. */
const mostTold = 500

/** A difference is checked a second time: a job may have come and gone between the looks at the two sides. */
export async function inventoryDiff(sides: Sides): Promise<DriftReport> {
  const once = await look(sides)
  if (once.length === 0) return []
  const again = new Set((await look(sides)).map(textOf))
  const lasting = once.filter((one) => again.has(textOf(one)))
  if (lasting.length <= mostTold) return lasting.map(told)
  const step = `${lasting.length - mostTold} more tenants and domains differ; they are shown when these are settled`
  return [...lasting.slice(0, mostTold), { resource: 'others', step }].map(told)
}

async function look(sides: Sides): Promise<readonly Unlike[]> {
  const { machine, kinds } = sides
  const found: Unlike[] = []
  for (const { name: kind, inventory } of kinds) {
    if (inventory === undefined) continue
    const store = inventory.rows(sides)
    const here = paged((after) => machine.inventory(inventory.of, after))
    const known = paged((after) => store.inventory(after, inventoryPage))
    for await (const [onMachine, inStore] of paired(here, known)) {
      const machineSays = standingOfRecord(onMachine)
      const panelSays = standingOfRow(inStore)
      if (machineSays === null || panelSays === null || machineSays === panelSays) continue
      const step = `${machineSays} on the machine, ${panelSays} in the panel's store`
      found.push({ resource: `${kind} ${(onMachine ?? inStore)?.name}`, step })
    }
  }
  return found
}

/** null while a job is at it. */
function standingOfRecord(record: Inventory[number] | undefined): Standing | null {
  switch (record?.state) {
    case undefined:
      return 'not there'
    case 'active':
    case 'suspended':
      return record.state
    case 'trashed':
      return 'in the trash'
    case 'making':
    case 'purging':
      return null
  }
}

/** null for what a job is at, or has left unfinished, and for a domain that waits for its proof. */
function standingOfRow(row: InventoryRow | undefined): Standing | null {
  switch (row?.status) {
    case undefined:
      return 'not there'
    case 'active':
      return 'active'
    case 'suspended':
    case 'locked':
      return 'suspended'
    case 'deleted':
      return 'in the trash'
    default:
      return null
  }
}

async function* paged<T extends { id: Id }>(
  read: (after: Id | null) => Promise<readonly T[]>,
): AsyncGenerator<T, undefined> {
  for (let after: Id | null = null; ; ) {
    const page = await read(after)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < inventoryPage) return
    after = last.id
  }
}

/** Walks both, which are in the order of ids, and puts together what has the same. */
async function* paired<A extends { id: Id }, B extends { id: Id }>(
  some: AsyncGenerator<A, undefined>,
  others: AsyncGenerator<B, undefined>,
): AsyncGenerator<readonly [A | undefined, B | undefined]> {
  let one = (await some.next()).value
  let other = (await others.next()).value
  while (one !== undefined || other !== undefined) {
    const isFirst = one !== undefined && (other === undefined || one.id <= other.id)
    const isSecond = other !== undefined && (one === undefined || other.id <= one.id)
    yield [isFirst ? one : undefined, isSecond ? other : undefined]
    if (isFirst) one = (await some.next()).value
    if (isSecond) other = (await others.next()).value
  }
}

function textOf({ resource, step }: Unlike): string {
  return `${resource}: ${step}`
}

function told({ resource, step }: Unlike): DriftReport[number] {
  return { resource, changes: [{ step, action: 'change', diff: null }] }
}
