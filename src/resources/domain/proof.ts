/**
 * Which names a tenant must prove before they are served, and what happens when the proof is there (threats C23).
 *
 * A name that the tenant has, or that lies below one he has, needs no proof: nobody else could get it. Staff is believed.
 * Everybody else sets a TXT record; where the operator asks for no proofs, only for a name that another tenant had lately.
 */
import { WcpError } from '../../contract/errors.ts'
import type { Fqdn, Id } from '../../contract/values.ts'
import { ancestorsOf, isWithin } from '../../lib/domain-name.ts'
import type { Context } from '../context.ts'
import type { QueuedRow } from '../job/queued-row.ts'
import { badInput, conflict } from '../refusals.ts'
import { challengeName, longestProvable } from './challenge.ts'
import { type Claim, type ClaimContext, claimNames, coolingOff, fieldOf } from './claim.ts'
import { domainCreate, domainUpdate } from './jobs.ts'
import { claimedForMs } from './proof-store.ts'
import { type Domain, heldAliases, type ProofRecord } from './schema.ts'

/** Tenants in these states can have sites made. */
export const tenantTakesDomains: readonly string[] = ['pending', 'active', 'deploying', 'suspended', 'locked']

/** Asks for the proofs that these names need. @returns the names that wait, each with the proof that covers it */
export async function askProofs(context: Context, what: string, claim: Claim): Promise<ReadonlyMap<Fqdn, Id>> {
  const unproven = await namesToProve(context, claim)
  for (const name of unproven)
    if (name.length > longestProvable)
      badInput(what, {
        field: fieldOf(claim, name),
        problem: `is too long to be proven: "${challengeName('…')}" must fit before it`,
        accepted: `a name of at most ${longestProvable} characters, or one that an administrator assigns`,
      })
  // One record for a name and all that are asked below it.
  const proofFor = (name: Fqdn) => unproven.filter((other) => isWithin(name, other)).toSorted(byLength)[0] ?? name
  const asked = new Set(unproven.map(proofFor))
  await demandClaims(context, what, claim.tenantId, asked)
  const proofs = await context.proofs.want(claim.tenantId, asked)
  const waiting = new Map<Fqdn, Id>()
  for (const name of unproven) {
    const proof = proofs.get(proofFor(name))
    if (proof !== undefined) waiting.set(name, proof)
  }
  return waiting
}

/** So many new names a day: each has the panel ask the DNS for a month, and the names of others are not for trying out. */
async function demandClaims(context: Context, what: string, tenantId: Id, names: ReadonlySet<Fqdn>): Promise<void> {
  const most = await context.settings.get('domains.claims_per_day')
  const oldest = await context.proofs.claim(tenantId, names, most)
  if (oldest === null) return
  const waitMs = Date.parse(oldest) + claimedForMs - Date.parse(context.now)
  throw new WcpError('too_many_requests', `Cannot ${what}: more than ${most} names to prove within a day`, {
    help: 'Wait as long as Retry-After says, or have an administrator assign the name; the number is the setting domains.claims_per_day.',
    details: { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
  })
}

const byLength = (a: string, b: string) => a.length - b.length

async function namesToProve(context: Context, claim: Claim): Promise<Fqdn[]> {
  if (claim.byStaff) return []
  const isAsked = await context.settings.get('domains.ask_proof')
  const cooling = await coolingOff(context, claim)
  const unproven: Fqdn[] = []
  for (const name of claim.names)
    if ((isAsked || cooling.has(name)) && !(await isCovered(context, claim.tenantId, name))) unproven.push(name)
  return unproven
}

async function isCovered({ domains, now }: Context, tenantId: Id, name: Fqdn): Promise<boolean> {
  const holders = await domains.holders([name, ...ancestorsOf(name)], now)
  return holders.some((holder) => holder.living && holder.tenantId === tenantId)
}

/** The records that the owner of a domain is to set in the DNS. */
export async function recordsOf({ proofs }: Pick<Context, 'proofs'>, domainId: Id): Promise<ProofRecord[]> {
  return (await proofs.ofDomain(domainId)).map(({ record }) => record)
}

export type ProofContext = ClaimContext & Pick<Context, 'tenants' | 'proofs' | 'jobs' | 'enqueue'>

/**
 * The proof is there: the names that wait for it are the tenant's, and the machine is told of them.
 *
 * @throws WcpError `conflict` when one of them cannot be had all the same, `busy` when the domain has a job
 */
export async function acceptProof(
  context: ProofContext,
  { id, tenantId }: { readonly id: Id; readonly tenantId: Id },
  { byStaff }: Pick<Claim, 'byStaff'>,
): Promise<Id[]> {
  await context.tenants.lock(tenantId)
  const jobs: Id[] = []
  for (const { domain, names } of await context.domains.waitingFor(id)) {
    const what = `serve "${names[0] ?? domain.fqdn}"`
    const tenant = await context.tenants.get(tenantId)
    if (!tenantTakesDomains.includes(tenant.status))
      conflict(what, `tenant "${tenant.name}" is ${tenant.status}`, 'Bring the tenant in order first.')
    await context.jobs.refuseBusy('domain', domain.id)
    await claimNames(context, what, { tenantId, domainId: domain.id, names, byStaff })
    const job = await serve(context, domain, { names, proof: id })
    if (job !== null) jobs.push(job)
  }
  await context.proofs.given(id)
  return jobs
}

/** @returns null where the machine is told later: of a site whose own name still waits, or that could not be made yet */
async function serve(
  context: ProofContext,
  domain: Domain,
  proven: { readonly names: readonly Fqdn[]; readonly proof: Id },
): Promise<Id | null> {
  const { id, tenantId, fqdn, php, status } = domain
  const unproven = domain.unproven.filter((name) => !proven.names.includes(name))
  const about = { tenant: tenantId, domain: id, aliases: heldAliases({ ...domain, unproven }), php }
  if (unproven.includes(fqdn) || status === 'error') {
    await context.domains.holdUnmade(id, proven.proof)
    return null
  }
  const hold = (row: QueuedRow<'domain'>) => context.domains.hold(row, proven.proof)
  return status === 'unverified'
    ? context.enqueue(domainCreate, { ...about, fqdn }, hold)
    : context.enqueue(domainUpdate, about, hold)
}
