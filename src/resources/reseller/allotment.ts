/**
 * The allotment of a reseller: tenants, and of each limit as much as all tenants' packages hold together. A package of
 * his can hold no more than he has himself, and where he has a limit it must have one too.
 */
import { type FieldError, WcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { type Reseller, shareKeys } from './schema.ts'
import type { PackageShare } from './store.ts'

/**
 * Makes a change, and refuses it with `limit_reached` when something is beyond the limits that was not so far beyond
 * before. What is over already, because a job failed and led back to a larger package, may shrink step by step.
 * Counts in the transaction with the reseller held: of many requests at once exactly as many get through as fit.
 */
export async function withinAllotment<T>(
  context: Context,
  what: string,
  reseller: Id | null,
  change: () => Promise<T>,
): Promise<T> {
  if (reseller === null) return change()
  await context.resellers.lock(reseller)
  const before = await excesses(context, reseller)
  const result = await change()
  const after = await excesses(context, reseller)
  const [worst] = after.filter(({ key, by }) => by > (before.find((one) => one.key === key)?.by ?? 0))
  if (worst === undefined) return result
  throw new WcpError('limit_reached', `Cannot ${what}: ${worst.message}`, {
    fields: [worst.field],
    help: 'Take less, remove something, or have the limits of the reseller raised.',
    details: { limit: worst.limit },
  })
}

interface Excess {
  /** Of what: a kind of limit, of one package or of all tenants together. */
  readonly key: string
  readonly by: number
  readonly limit: number
  readonly message: string
  readonly field: FieldError
}

async function excesses(context: Context, id: Id): Promise<Excess[]> {
  const reseller = await context.resellers.get(id)
  const packages = await context.resellers.packages(id)
  return [...tooManyTenants(reseller), ...packages.flatMap((one) => tooLarge(reseller, one)), ...tooMuch(reseller)]
}

function tooManyTenants({ email, maxTenants, used }: Reseller): Excess[] {
  if (maxTenants === null || used.tenants <= maxTenants) return []
  const message = `reseller "${email}" may have ${maxTenants} tenants`
  const field = { field: 'maxTenants', problem: 'is reached', accepted: `${used.tenants} or more, or fewer tenants` }
  return [{ key: 'tenants', by: used.tenants - maxTenants, limit: maxTenants, message, field }]
}

function tooLarge(reseller: Reseller, share: PackageShare): Excess[] {
  return shareKeys.flatMap((key) => {
    const [limit, value] = [reseller[key], share[key]]
    if (limit === null || (value !== null && value <= limit)) return []
    const has = value === null ? 'no limit' : String(value)
    const message = `package "${share.name}" has ${has} as ${key}, and its reseller has ${limit}`
    const field = { field: key, problem: 'is more than the reseller has', accepted: `${limit} or less` }
    return [
      { key: `package ${share.name} ${key}`, by: (value ?? Number.POSITIVE_INFINITY) - limit, limit, message, field },
    ]
  })
}

function tooMuch(reseller: Reseller): Excess[] {
  return shareKeys.flatMap((key) => {
    const [limit, used] = [reseller[key], reseller.used[key]]
    if (limit === null || used <= limit) return []
    const message = `all tenants of reseller "${reseller.email}" would have ${used} as ${key} together, and it has ${limit}`
    const field = {
      field: key,
      problem: 'is more than the reseller has left',
      accepted: `${limit} for all tenants together`,
    }
    return [{ key, by: used - limit, limit, message, field }]
  })
}
