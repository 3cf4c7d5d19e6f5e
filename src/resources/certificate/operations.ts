/** Certificates of domains. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { chainProblem, chainText, parseChain } from '../../lib/certificate-chain.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { Accepted, Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { type Domain, heldAliases } from '../domain/schema.ts'
import { listInput, pageOf, searchInput } from '../listing.ts'
import { badInput, conflict } from '../refusals.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { CertificateChain, certificateCreate, certificateUpdate } from './jobs.ts'
import { Certificate } from './schema.ts'
import { servedOf } from './served.ts'

const DomainRef = z.union([Id, DomainName], { error: 'the id or the name of a domain' })
const target = {
  siteCertificate: z
    .union([Id, DomainName], { error: 'the id of a certificate, or the name of its domain' })
    .describe('Certificate, by id or name of its domain'),
}
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

export const list = defineOperation({
  name: 'certificate.list',
  summary: 'List the certificates of domains',
  effect: 'read',
  policy,
  http: 'GET /certificates',
  positional: [],
  columns: ['fqdn', 'progress', 'problem', 'issuer', 'notAfter', 'renewAt'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('Certificates of this tenant only'),
      domain: DomainRef.optional().describe('The certificate of this domain only'),
      ...searchInput,
      ...listInput,
    }),
  output: () => pageOf(Certificate),
  async run(context, { tenant, domain, ...query }) {
    const scope = scopeOf(context.actor)
    const tenantId = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    const domainId = domain === undefined ? undefined : (await context.domains.get(domain, { scope })).id
    return context.certificates.list({ ...query, tenantId, domainId, scope })
  },
})

export const get = defineOperation({
  name: 'certificate.get',
  summary: 'Show the certificate of a domain, and how far it has come',
  effect: 'read',
  policy,
  http: 'GET /certificates/{siteCertificate}',
  positional: ['siteCertificate'],
  input: () => z.strictObject(target),
  output: () => Certificate,
  run: ({ certificates, actor }, { siteCertificate }) => certificates.get(siteCertificate, scopeOf(actor)),
})

export const create = defineOperation({
  name: 'certificate.create',
  summary: 'Make the key for a certificate that you bring yourself',
  description:
    'The key is made on the server and never leaves it. Where an authority is set (certificates.authority), domains get key and certificate by themselves. Sending it again leaves the key as it is, and makes it where it is missing.',
  effect: 'machine',
  policy,
  http: 'POST /certificates',
  positional: ['domain'],
  input: () => z.strictObject({ domain: DomainRef.describe('Domain, by id or name') }),
  output: () => Accepted,
  async run(context, { domain: ref }) {
    const domain = await context.domains.get(ref, { scope: scopeOf(context.actor) })
    const what = `make a key for "${domain.fqdn}"`
    if (domain.status !== 'active' && domain.status !== 'suspended')
      conflict(what, `the domain is ${domain.status}`, 'Wait until the domain is ready.')
    await context.tenants.lock(domain.tenantId)
    const known = await context.certificates.ofDomain(domain.id)
    if (known !== undefined) await context.jobs.refuseBusy('certificate', known.id)
    const id = known?.id ?? context.newId()
    const { id: domainId, tenantId, fqdn } = domain
    if (known === undefined) await context.certificates.insert({ id, tenantId, domainId, fqdn, source: 'own' })
    return {
      id,
      jobId: await context.enqueue(certificateCreate, { tenant: tenantId, certificate: id, domain: domainId }),
    }
  },
})

export const request = defineOperation({
  name: 'certificate.request',
  summary: 'Print the request by which an authority of your choice issues a certificate for a domain',
  description: 'It is for all names that the domain has now, and for the key that is on the server.',
  effect: 'read',
  policy,
  http: 'GET /certificates/{siteCertificate}/request',
  positional: ['siteCertificate'],
  input: () => z.strictObject(target),
  output: () => z.strictObject({ request: z.string() }),
  async run(context, { siteCertificate }) {
    const { id } = await context.certificates.get(siteCertificate, scopeOf(context.actor))
    return { request: await context.machine.signingRequest(id) }
  },
})

export const upload = defineOperation({
  name: 'certificate.upload',
  summary: 'Serve a certificate of your own',
  description:
    'Issued by the request that is printed for the domain. It is not renewed by itself; "certificate renew" hands the domain back to the authority.',
  effect: 'machine',
  policy,
  http: 'POST /certificates/{siteCertificate}/upload',
  positional: ['siteCertificate', 'chain'],
  input: () =>
    z.strictObject({
      ...target,
      chain: z
        .string()
        .max(24_000, { error: 'at most 24000 characters' })
        .transform(written)
        .pipe(CertificateChain)
        .describe('Certificates in PEM: that of the domain, then each issuer in order'),
    }),
  output: () => Accepted,
  async run(context, { siteCertificate, chain }) {
    const one = await context.certificates.get(siteCertificate, scopeOf(context.actor))
    await context.jobs.refuseBusy('certificate', one.id)
    const what = `serve this certificate for "${one.fqdn}"`
    if (one.status !== 'active') conflict(what, `its key is not there yet`, 'Wait until the key was made.')
    const parsed = parseChain(chain) ?? []
    const names = namesOf(await context.domains.get(one.domainId))
    const problem = chainProblem(parsed, { names, now: new Date(context.now) })
    if (problem !== undefined)
      badInput(what, {
        field: 'chain',
        problem,
        accepted: 'a certificate for all names of the domain, with its issuers in order',
      })
    const jobId = await context.enqueue(
      certificateUpdate,
      { tenant: one.tenantId, certificate: one.id, chain },
      (row) =>
        context.certificates.serve(row, {
          ...servedOf(parsed),
          source: 'own',
          authority: null,
          renewAt: null,
          nextTryAt: null,
          problem: null,
        }),
    )
    return { id: one.id, jobId }
  },
})

export const renew = defineOperation({
  name: 'certificate.renew',
  summary: 'Look at a certificate now, and ask the authority where one is due',
  effect: 'write',
  policy,
  http: 'POST /certificates/{siteCertificate}/renew',
  positional: ['siteCertificate'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, { siteCertificate }) {
    const { id, fqdn, nextTryAt, progress } = await context.certificates.get(siteCertificate, scopeOf(context.actor))
    await mustBeOn(context, fqdn)
    // what an authority has refused waits its time, whoever asks
    const isRefused = progress === 'order' && nextTryAt !== null && nextTryAt > context.now
    if (isRefused)
      conflict(`look at the certificate of "${fqdn}"`, `it waits until ${nextTryAt}`, 'Authorities limit failures.')
    await context.certificates.lookNow(id)
    return { id }
  },
})

async function mustBeOn({ settings }: Context, fqdn: string): Promise<void> {
  if ((await settings.get('certificates.authority')) === null)
    conflict(
      `ask for a certificate of "${fqdn}"`,
      'no authority is set',
      'An administrator chooses it in the setting certificates.authority.',
    )
}

function namesOf(domain: Domain): string[] {
  return [domain.fqdn, ...heldAliases(domain)]
}

/** As it is stored: without line ends of other systems and words between. */
function written(text: string): string {
  const chain = parseChain(text.replaceAll('\r\n', '\n').trim())
  return chain === null ? text : chainText(chain)
}
