/** Who may take which names: the rules that keep one customer from serving another's (threats C23). */
import { WcpError } from '../../contract/errors.ts'
import type { Fqdn, Id } from '../../contract/values.ts'
import { isWithin } from '../../lib/domain-name.ts'
import type { Context } from '../context.ts'
import { badInput, taken } from '../refusals.ts'
import { isStaff } from '../visibility.ts'
import type { NameHolder } from './store.ts'

export interface Claim {
  readonly tenantId: Id
  /** The domain that already holds some of the names, when it is changed. */
  readonly domainId?: Id
  readonly fqdn: Fqdn
  readonly aliases: readonly Fqdn[]
}

/** Refuses the first name that cannot be had, naming its field. Holds the names until the transaction ends. */
export async function claimNames(context: Context, what: string, claim: Claim): Promise<void> {
  const names = [claim.fqdn, ...claim.aliases]
  refuseRepeated(what, claim)
  for (const name of names) refuseOwnHosts(context, what, name, fieldOf(claim, name))
  await context.domains.lockNames(names)
  await refuseHeld(context, what, claim)
  for (const name of names) await refuseRelated(context, what, claim, name)
}

function refuseRepeated(what: string, { fqdn, aliases }: Claim): void {
  const seen = new Set<string>([fqdn])
  for (const [place, alias] of aliases.entries()) {
    if (seen.has(alias))
      badInput(what, { field: `aliases.${place}`, problem: `"${alias}" is named twice`, accepted: 'each name once' })
    seen.add(alias)
  }
}

/** A customer cannot have the machine's name, nor one above it or the panel's; the operator hosts his own site there. */
function refuseOwnHosts(context: Context, what: string, name: Fqdn, field: string): void {
  const { actor, panelHost, machineHost } = context
  const isBelow = isWithin(name, panelHost) || (!isStaff(actor) && isWithin(name, machineHost))
  const isAbove = !isStaff(actor) && (isWithin(panelHost, name) || isWithin(machineHost, name))
  if (isBelow || isAbove)
    badInput(what, {
      field,
      problem: `"${name}" belongs to the panel and its machine`,
      accepted: 'a name that is not the panel’s own',
    })
}

async function refuseHeld(context: Context, what: string, claim: Claim): Promise<void> {
  const days = await context.settings.get('domains.cooling_off_days')
  const since = new Date(Date.parse(context.now) - days * 86_400_000).toISOString()
  for (const holder of await context.domains.holders([claim.fqdn, ...claim.aliases], since)) {
    if (holder.domainId === claim.domainId) continue
    if (holder.living)
      taken(what, fieldOf(claim, holder.name), holder.name, 'a name that no other domain has, nor its aliases')
    if (isCoolingOff(context, claim, holder))
      taken(
        what,
        fieldOf(claim, holder.name),
        holder.name,
        'a name that nobody had lately; an administrator can assign it',
      )
  }
}

function isCoolingOff({ actor }: Context, claim: Claim, holder: NameHolder): boolean {
  return !isStaff(actor) && holder.tenantId !== claim.tenantId
}

async function refuseRelated(context: Context, what: string, claim: Claim, name: Fqdn): Promise<void> {
  const stranger = (await context.domains.relatives(name)).find((holder) => holder.tenantId !== claim.tenantId)
  if (stranger === undefined) return
  // A customer does not learn from the refusal what others have.
  const other = isStaff(context.actor) ? `"${stranger.name}"` : 'a name above or below it'
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

function fieldOf({ fqdn, aliases }: Claim, name: Fqdn): string {
  return name === fqdn ? 'fqdn' : `aliases.${aliases.indexOf(name)}`
}
