/** The rules for claiming names, which keep one customer from serving another's (threats C23). */
import { WcpError } from '../../contract/errors.ts'
import type { Fqdn, Id } from '../../contract/values.ts'
import { isWithin } from '../../lib/domain-name.ts'
import type { Context } from '../context.ts'
import { badInput, taken } from '../refusals.ts'
import type { NameHolder } from './store.ts'

export interface Claim {
  readonly tenantId: Id
  /** The domain that already holds some of the names, when it is changed. */
  readonly domainId?: Id
  /** The name of the site, and its aliases after it. */
  readonly names: readonly Fqdn[]
  /** Staff hosts the operator's own sites too, and learns who stands in the way. */
  readonly byStaff: boolean
}

export type ClaimContext = Pick<Context, 'now' | 'panelHost' | 'machineHost' | 'domains' | 'settings'>

/** Refuses the first name that cannot be had, naming its field. Holds the names until the transaction ends. */
export async function claimNames(context: ClaimContext, what: string, claim: Claim): Promise<void> {
  refuseRepeated(what, claim)
  for (const name of claim.names) refuseOwnHosts(context, what, claim, name)
  await context.domains.lockNames(claim.names)
  await refuseHeld(context, what, claim)
  for (const name of claim.names) await refuseRelated(context, what, claim, name)
}

/** The same for names that are brought back from the trash: whoever had one of them meanwhile keeps it for a while. */
export async function claimAgain(context: ClaimContext, what: string, claim: Claim): Promise<void> {
  await claimNames(context, what, claim)
  const cooling = claim.byStaff ? undefined : (await coolingOff(context, claim)).values().next().value
  if (cooling !== undefined)
    taken(what, fieldOf(claim, cooling), cooling, 'a name that nobody had lately; an administrator can assign it')
}

/** Those of the names that another tenant gave up not long ago. */
export async function coolingOff(context: ClaimContext, { tenantId, names }: Claim): Promise<ReadonlySet<Fqdn>> {
  const days = await context.settings.get('domains.cooling_off_days')
  const since = new Date(Date.parse(context.now) - days * 86_400_000).toISOString()
  const holders = await context.domains.holders(names, since)
  const isAnothers = (holder: NameHolder) => !holder.living && holder.tenantId !== tenantId
  return new Set(holders.filter(isAnothers).map(({ name }) => name))
}

/** The input field in which a name was given. */
export function fieldOf({ names }: Pick<Claim, 'names'>, name: Fqdn): string {
  const place = names.indexOf(name)
  return place === 0 ? 'fqdn' : `aliases.${place - 1}`
}

function refuseRepeated(what: string, { names }: Claim): void {
  for (const [place, name] of names.entries())
    if (names.indexOf(name) !== place)
      badInput(what, { field: `aliases.${place - 1}`, problem: `"${name}" is named twice`, accepted: 'each name once' })
}

/** A customer cannot have the machine's name, nor one above it or the panel's. */
function refuseOwnHosts({ panelHost, machineHost }: ClaimContext, what: string, claim: Claim, name: Fqdn): void {
  const isBelow = isWithin(name, panelHost) || (!claim.byStaff && isWithin(name, machineHost))
  const isAbove = !claim.byStaff && (isWithin(panelHost, name) || isWithin(machineHost, name))
  if (isBelow || isAbove)
    badInput(what, {
      field: fieldOf(claim, name),
      problem: `"${name}" belongs to the panel and its machine`,
      accepted: 'a name that is not the panel’s own',
    })
}

async function refuseHeld(context: ClaimContext, what: string, claim: Claim): Promise<void> {
  const living = (await context.domains.holders(claim.names, context.now)).filter((holder) => holder.living)
  const other = living.find(({ domainId }) => domainId !== claim.domainId)
  if (other) taken(what, fieldOf(claim, other.name), other.name, 'a name that no other domain has, nor its aliases')
}

async function refuseRelated(context: ClaimContext, what: string, claim: Claim, name: Fqdn): Promise<void> {
  const stranger = (await context.domains.relatives(name)).find((holder) => holder.tenantId !== claim.tenantId)
  if (stranger === undefined) return
  // A customer does not learn from the refusal what others have.
  const other = claim.byStaff ? `"${stranger.name}"` : 'a name above or below it'
  throw new WcpError('conflict', `Cannot ${what}: another tenant has ${other}`, {
    fields: [
      {
        field: fieldOf(claim, name),
        problem: `is above or below a name of another tenant`,
        accepted: 'a name of a domain that is this tenant’s alone',
      },
    ],
    help: 'Names above and below a domain belong to the tenant that has it.',
  })
}
