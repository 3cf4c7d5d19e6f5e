/** Keys by which the panel proves to authorities that names are their owners', in the DNS. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { Id } from '../../contract/values.ts'
import { dnsPort, serverAddress } from '../../lib/server-address.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { listInput, pageOf, searchInput } from '../listing.ts'
import { badInput } from '../refusals.ts'
import { TenantRef } from '../tenant/schema.ts'
import { isStaff, ownReseller, scopeOf, visibleTenant } from '../visibility.ts'
import { isPublicAddress } from '../webhook/public-address.ts'
import { Algorithm, DnsKey, KeyName, KeySecret, Servers, Zones } from './schema.ts'
import type { Owner } from './store.ts'

const target = { dnsKey: Id.describe('Id of the DNS key') }
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const
const most = 50

export const list = defineOperation({
  name: 'dns-key.list',
  summary: 'List the keys by which records are set in the DNS',
  effect: 'read',
  policy,
  http: 'GET /dns-keys',
  positional: [],
  columns: ['id', 'keyName', 'zones', 'servers', 'tenantName', 'problem'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('Keys of this tenant only'),
      ...searchInput,
      ...listInput,
    }),
  output: () => pageOf(DnsKey),
  async run(context, { tenant, ...query }) {
    const tenantId = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    return context.dnsKeys.list({ ...query, tenantId, scope: scopeOf(context.actor) })
  },
})

export const get = defineOperation({
  name: 'dns-key.get',
  summary: 'Show a key for the DNS, but not its secret',
  effect: 'read',
  policy,
  http: 'GET /dns-keys/{dnsKey}',
  positional: ['dnsKey'],
  input: () => z.strictObject(target),
  output: () => DnsKey,
  run: ({ dnsKeys, actor }, { dnsKey }) => dnsKeys.get(dnsKey, scopeOf(actor)),
})

export const create = defineOperation({
  name: 'dns-key.create',
  summary: 'Hand over a key by which the panel may set records in zones of the DNS',
  description:
    'By dynamic updates (RFC 2136), signed with a key of the name server (TSIG). Domains in these zones get certificates also while they do not lead to this server. ' +
    'The panel sets and removes TXT records of names that begin with _acme-challenge, and no others; allow the key no more. It is tried at once.',
  effect: 'write',
  policy: { ...policy, isSensitive: true },
  secret: ['secret'],
  stepUp: true,
  http: 'POST /dns-keys',
  positional: ['keyName'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('For the domains of this tenant alone'),
      keyName: KeyName.describe('Name of the key at the name server'),
      algorithm: Algorithm.default('hmac-sha256').describe('By which it signs'),
      secret: KeySecret.describe('Secret of the key in base64'),
      zones: Zones.describe('Zones in which it may set records'),
      servers: Servers.describe('Addresses of the name server that takes updates: the primary of these zones'),
    }),
  output: () => Done,
  async run(context, { tenant, ...given }) {
    const what = `take the key "${given.keyName}"`
    const owner = await ownerOf(context, tenant)
    if (!isStaff(context.actor)) demandPublic(what, given.servers)
    if ((await context.dnsKeys.count(owner, most)) >= most)
      throw new WcpError('limit_reached', `Cannot ${what}: there are ${most} already`, {
        help: 'Delete one that is not needed any more.',
      })
    const id = context.newId()
    const [zones, servers] = [[...new Set(given.zones)], [...new Set(given.servers)]]
    await context.dnsKeys.insert({ ...given, id, zones, servers, ...owner })
    return { id }
  },
})

export const test = defineOperation({
  name: 'dns-key.test',
  summary: 'Have a key set and remove a record in each of its zones; the key tells how it ended',
  effect: 'write',
  policy,
  http: 'POST /dns-keys/{dnsKey}/test',
  positional: ['dnsKey'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run({ dnsKeys, actor }, { dnsKey }) {
    const { id } = await dnsKeys.get(dnsKey, scopeOf(actor))
    await dnsKeys.checkSoon(id)
    return { id }
  },
})

export const remove = defineOperation({
  name: 'dns-key.delete',
  summary: 'Forget a key for the DNS',
  description: 'Records that it has set and that are not removed yet stay where they are.',
  effect: 'write',
  policy,
  stepUp: true,
  confirm: 'Forget this key? Certificates that need it are not renewed any more. It stays valid at the name server.',
  http: 'DELETE /dns-keys/{dnsKey}',
  positional: ['dnsKey'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run({ dnsKeys, actor }, { dnsKey }) {
    const { id } = await dnsKeys.get(dnsKey, scopeOf(actor))
    await dnsKeys.remove(id)
    return { id }
  },
})

/** What a customer brings is for his own domains, what a reseller brings for those of all his customers. */
async function ownerOf(context: Context, ref: string | undefined): Promise<Owner> {
  const scope = scopeOf(context.actor)
  if (ref !== undefined) return { tenantId: (await visibleTenant(context, ref)).id, resellerId: null }
  if (scope.kind === 'local') return { tenantId: scope.tenant, resellerId: null }
  return { tenantId: null, resellerId: ownReseller(context.actor) }
}

/** Nobody but staff has the panel speak with machines that are not reached from the internet, or with other services. */
function demandPublic(what: string, servers: readonly string[]): void {
  const isFit = (text: string) => {
    const { host, port } = serverAddress(text) ?? { host: '', port: 0 }
    return port === dnsPort && isPublicAddress(host)
  }
  const other = servers.find((server) => !isFit(server))
  if (other !== undefined)
    badInput(what, {
      field: 'servers',
      problem: `holds ${other}, which is not reached from the internet at port ${dnsPort}`,
      accepted: `public addresses at port ${dnsPort}; an administrator may name others`,
    })
}
