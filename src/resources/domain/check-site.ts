/**
 * Why a site does not answer: looked for from the DNS to the disk, each step with what was seen and the remedy. It changes
 * nothing and makes no job.
 */
import { z } from 'zod'
import { shownHost } from '../../lib/shown-host.ts'
import { addressLack, ownAddresses } from '../certificate/points-here.ts'
import type { Context } from '../context.ts'
import { addressesIn } from '../settings/schema.ts'
import { type Domain, heldAliases } from './schema.ts'
import type { Shown, Visit } from './visit.ts'

const checkSteps = ['dns', 'route', 'http', 'certificate', 'php', 'suspension', 'disk'] as const

export const SiteCheck = z.strictObject({
  step: z.enum(checkSteps),
  /** `none`: the site does without it. */
  state: z.enum(['good', 'bad', 'unknown', 'none']),
  seen: z.string(),
  /** Empty where nothing is at fault. */
  remedy: z.string(),
})
export type SiteCheck = z.output<typeof SiteCheck>
type Found = Omit<SiteCheck, 'step'>

/** So many names are looked up. */
const mostNames = 10
const dnsMs = 8000

export async function checkSite(context: Context, domain: Domain): Promise<SiteCheck[]> {
  const { fqdn } = domain
  const [dns, plain, shown, health] = await Promise.all([
    dnsOf(context, domain),
    context.web.visit(fqdn, 'http'),
    context.web.shown(fqdn),
    context.machine.health().catch(() => null),
  ])
  const answer = isSentOn(plain) && shown !== null ? await context.web.visit(fqdn, 'https') : plain
  const found: Readonly<Record<SiteCheck['step'], Found>> = {
    dns,
    route: routeOf(domain, plain, health?.services.find(({ name }) => name === 'nginx')?.state),
    http: answerOf(answer, { isOverHttps: answer !== plain }),
    certificate: certificateOf(shown, context.now),
    php: phpOf(context, domain, answer),
    suspension: await suspensionOf(context, domain),
    disk: await diskOf(context, domain, health?.disks ?? []),
  }
  return checkSteps.map((step) => ({ step, ...found[step] }))
}

const good = (seen: string): Found => ({ state: 'good', seen, remedy: '' })
const bad = (seen: string, remedy: string): Found => ({ state: 'bad', seen, remedy })
const unknown = (seen: string, remedy = ''): Found => ({ state: 'unknown', seen, remedy })

function isSentOn(visit: Visit): boolean {
  return 'status' in visit && visit.toHttps
}

async function dnsOf({ settings, web }: Context, domain: Domain): Promise<Found> {
  const given = await settings.get('certificates.addresses')
  const own = given === null ? ownAddresses() : addressesIn(given)
  const names = [domain.fqdn, ...heldAliases(domain)].slice(0, mostNames)
  const look = { servers: web.nameServers, signal: AbortSignal.timeout(dnsMs) }
  const lacks = await Promise.all(names.map((name) => addressLack(name, own, look)))
  const known = lacks.find((lack) => lack !== null && !lack.isUnknown)
  const first = known ?? lacks.find((lack) => lack !== null)
  if (!first) return good(`${names.map(shownHost).join(', ')}: to this server.`)
  return first.isUnknown ? unknown(first.seen, first.remedy) : bad(first.seen, first.remedy)
}

/** Whether the web server knows the name at all. */
function routeOf({ status, fqdn }: Domain, plain: Visit, server: string | undefined): Found {
  if (status === 'unverified')
    return bad(
      'The name waits for the proof of its ownership.',
      `Set its TXT record in the DNS, as "wcp domain proofs ${fqdn}" lists it.`,
    )
  if (status === 'error') return bad('The site was not created.', 'Read its last job, and try it again.')
  if (server !== undefined && server !== 'running')
    return bad(`The web server is ${server}.`, 'An administrator starts it: systemctl start nginx.')
  if ('status' in plain) return good(`The web server answers for ${shownHost(fqdn)}.`)
  if (plain.failure === 'refused')
    return bad('Nothing listens where the web server should.', 'An administrator starts it: systemctl start nginx.')
  if (plain.failure === 'closed')
    return bad(
      'The web server closes the connection: it has no site of this name.',
      `An administrator puts it back: wcp domain repair ${fqdn}.`,
    )
  return unknown(`The web server did not answer in time (${plain.failure}).`)
}

function answerOf(answer: Visit, { isOverHttps }: { isOverHttps: boolean }): Found {
  if ('failure' in answer) return unknown('No answer to look at.')
  const { status } = answer
  const way = isOverHttps ? 'Over HTTPS, to which visitors are sent: status' : 'Status'
  const remedy = remedies[status] ?? (status >= 500 ? 'Look into the errors of the site.' : '')
  return status >= 400 ? bad(`${way} ${status}.`, remedy) : good(`${way} ${status}.`)
}

const remedies: Readonly<Record<number, string>> = {
  403: 'Its directory has no start page, or files that the web server may not read: put an index.php or index.html there.',
  404: 'Its directory has no start page: put an index.php or index.html there.',
  421: 'The certificate is for other names.',
  429: 'It has too many visitors at once.',
  500: 'The program of the site fails: look into its errors.',
  502: 'PHP does not answer: look at the step about PHP.',
  503: 'It is closed: look at the step about suspension.',
  504: 'The program of the site takes too long.',
}

function certificateOf(shown: Shown, now: string): Found {
  if (shown === null)
    return {
      state: 'none',
      seen: 'There is none: the site has no HTTPS yet.',
      remedy: 'HTTPS tells how far it has come.',
    }
  const until = shown.validTo.slice(0, 10)
  if (shown.validTo <= now) return bad(`It has expired on ${until}.`, 'HTTPS tells why it was not renewed.')
  if (!shown.names) return bad('It is for other names.', 'Renew it, or bring one for the names of this site.')
  return good(`Valid until ${until}.`)
}

function phpOf({ machine }: Context, { php }: Domain, answer: Visit): Found {
  if (php === null) return { state: 'none', seen: 'The site has no PHP.', remedy: '' }
  const installed = machine.phpVersions()
  if (installed !== null && !installed.includes(php))
    return bad(`PHP ${php} is not installed.`, `Choose another version: ${installed.join(', ')}.`)
  if ('status' in answer && (answer.status === 502 || answer.status === 504))
    return bad(`PHP ${php} does not answer.`, 'It may have too little memory or too many visitors: look at the plan.')
  return installed === null ? unknown('The root side does not answer.') : good(`PHP ${php}.`)
}

async function suspensionOf({ holds, tenants }: Context, domain: Domain): Promise<Found> {
  const tenant = await tenants.get(domain.tenantId)
  const own = await holds.of({ kind: 'domain', id: domain.id })
  const above = await holds.of({ kind: 'tenant', id: tenant.id })
  const reasons = [...own, ...above].map(({ reason, note }) => (note === '' ? reason : `${reason}: ${note}`))
  const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
  if (domain.status === 'suspended') return bad(`The site is suspended${why}.`, 'Who suspended it can lift that.')
  if (tenant.status === 'suspended')
    return bad(`The customer is suspended${why}.`, 'With the last hold its sites come back.')
  return good('Neither the site nor its customer is suspended.')
}

/** Less of a disk than this is free: writing will fail. */
const leastFree = 0.02

async function diskOf(
  { usage, tenants, packages }: Context,
  { tenantId }: Domain,
  disks: readonly { readonly free: number; readonly total: number }[],
): Promise<Found> {
  const tenant = await tenants.get(tenantId)
  const { diskMb: most } = await packages.get(tenant.packageId)
  const { diskMb: used } = await usage.of(tenant)
  if (disks.some(({ free, total }) => total > 0 && free / total < leastFree))
    return bad('A disk of the server is full.', 'An administrator makes room.')
  if (used === null) return unknown('The disk space of the customer has not been measured yet.')
  const shown = `${used.toLocaleString('en')} MB used`
  if (most === null) return good(`${shown}.`)
  const told = `${shown} of ${most.toLocaleString('en')} MB.`
  return used >= most ? bad(told, 'Remove files, or choose a larger plan.') : good(told)
}
