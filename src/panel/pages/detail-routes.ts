/** One tenant, domain, package or user: its facts, what belongs to it, and what can be done with it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asWcpError } from '../../contract/errors.ts'
import { type AnyOperation, httpBinding, verbOf } from '../../contract/operation.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import { fieldNamed } from '../../lib/fields.ts'
import { type Action, type Badge, type Section, statusBadge } from '../../lib/page-model.ts'
import { apiKeyFacts, apiKeyTable } from '../../resources/api-key/pages.ts'
import { ApiKey } from '../../resources/api-key/schema.ts'
import { domainFacts, domainTable, proofSection } from '../../resources/domain/pages.ts'
import { Domain, DomainProof } from '../../resources/domain/schema.ts'
import { jobTable } from '../../resources/job/pages.ts'
import { Job } from '../../resources/job/schema.ts'
import { limitFacts, packageOwner, packageTable } from '../../resources/package/pages.ts'
import { Package } from '../../resources/package/schema.ts'
import { resellerFacts, shareFacts } from '../../resources/reseller/pages.ts'
import { Reseller } from '../../resources/reseller/schema.ts'
import { permissionFacts, roleFacts, roleTitle } from '../../resources/role/pages.ts'
import { Role } from '../../resources/role/schema.ts'
import { sessionTable } from '../../resources/session/pages.ts'
import { Session } from '../../resources/session/schema.ts'
import { tenantBadge, tenantFacts, tenantTable } from '../../resources/tenant/pages.ts'
import { Tenant } from '../../resources/tenant/schema.ts'
import { factorFacts } from '../../resources/totp/pages.ts'
import { TotpState } from '../../resources/totp/schema.ts'
import { placeOf } from '../../resources/user/guards.ts'
import { userFacts, userRoles } from '../../resources/user/pages.ts'
import { User } from '../../resources/user/schema.ts'
import { deliveryTable, webhookBadge, webhookFacts } from '../../resources/webhook/pages.ts'
import { Delivery, Webhook } from '../../resources/webhook/schema.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { isDestructive, listPath } from './places.ts'
import { path, query } from './safe-url.ts'
import type { Site } from './site.ts'

interface Detail {
  readonly kind: string
  /** The name that commands use. */
  readonly ref: string
  readonly title: string
  readonly kindTitle: string
  readonly status?: Badge
  readonly isDeleted: boolean
  readonly isSuspended: boolean
  /** Nothing can be done with it. */
  readonly isFixed?: boolean
  readonly main?: readonly Action[]
  /** What can be done with it in its present state, where that is not what is done with all of its kind. */
  readonly verbs?: readonly string[] | undefined
  /** Operations of its own and of other kinds that are about this one. */
  readonly more?: readonly { readonly title: string; readonly operation: string }[]
  readonly sections: readonly Section[]
}

interface Route {
  Params: { ref: string }
}

export function detailRoutes(app: FastifyInstance, site: Site): void {
  const { t } = site

  app.get<Route>('/tenants/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const tenant = Tenant.parse(await get(site, request, 'tenant', request.params.ref))
    const [offer, domains, jobs] = await Promise.all([
      related(site, request, 'package.get', { package: tenant.packageId }, Package),
      tenant.deletedAt === null ? items(site, request, 'domain.list', { tenant: tenant.id, limit: 50 }, Domain) : [],
      // By its id, because lists are not narrowed by what is in the trash.
      items(
        site,
        request,
        'job.list',
        { [tenant.deletedAt === null ? 'tenant' : 'resource']: tenant.id, limit: 8 },
        Job,
      ),
    ])
    const addDomain = `/do/domain.create${query({ tenant: tenant.name })}`
    return show(site, request, reply, {
      kind: 'tenant',
      ref: tenant.name,
      title: tenant.name,
      kindTitle: t.tenants.title,
      status: tenantBadge(t, tenant.status),
      isDeleted: tenant.deletedAt !== null,
      isSuspended: tenant.status === 'suspended',
      main:
        site.may(request, 'domain.create') && tenant.deletedAt === null
          ? [{ title: t.tenants.addDomain, href: addDomain }]
          : [],
      sections: [
        { title: t.tenants.domains, table: domainTable(t, domains, { withTenant: false }), empty: t.tenants.noDomains },
        { ...tenantFacts(t, tenant, { linksReseller: site.may(request, 'reseller.get') }), isAside: true },
        ...(offer === null ? [] : [{ ...limitFacts(t, offer), isAside: true }]),
        { title: t.tenants.recentJobs, table: jobTable(t, jobs), empty: t.jobs.none },
      ],
    })
  })

  app.get<Route>('/domains/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const domain = Domain.parse(await get(site, request, 'domain', request.params.ref))
    const isWaiting = domain.unproven.length > 0 && domain.deletedAt === null
    const [jobs, proofs] = await Promise.all([
      items(site, request, 'job.list', { resource: domain.id, limit: 8 }, Job),
      isWaiting ? items(site, request, 'domain.proofs', { domain: domain.id }, DomainProof) : [],
    ])
    return show(site, request, reply, {
      kind: 'domain',
      // Several tenants may wait for the same name.
      ref: domain.status === 'unverified' ? domain.id : domain.fqdn,
      title: domain.fqdn,
      kindTitle: t.domains.title,
      status: statusBadge(domain.status, t.statuses),
      isDeleted: domain.deletedAt !== null,
      isSuspended: domain.status === 'suspended',
      main: domain.status === 'active' ? [{ title: t.domains.visit, href: `http://${domain.fqdn}/` }] : [],
      more: [
        { title: t.domains.verify, operation: 'domain.verify' },
        { title: t.domains.vouch, operation: 'domain.vouch' },
      ].filter(({ operation }) => isWaiting && site.may(request, operation)),
      verbs: domain.status === 'unverified' ? ['delete'] : undefined,
      sections: [
        ...proofs.map((proof) => proofSection(t, proof)),
        domainFacts(t, domain),
        ...(jobs.length > 0 ? [{ title: t.tenants.recentJobs, table: jobTable(t, jobs) }] : []),
      ],
    })
  })

  app.get<Route>('/packages/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const offer = Package.parse(await get(site, request, 'package', request.params.ref))
    const tenants = await items(site, request, 'tenant.list', { package: offer.id, limit: 50 }, Tenant)
    return show(site, request, reply, {
      kind: 'package',
      // A name is known among the packages of one owner only.
      ref: offer.resellerId === null ? offer.name : offer.id,
      title: offer.name,
      kindTitle: t.packages.title,
      isDeleted: offer.deletedAt !== null,
      isSuspended: false,
      sections: [
        limitFacts(t, offer),
        ...(offer.resellerId === null ? [] : [{ ...packageOwner(t, offer), isAside: true }]),
        ...(tenants.length > 0 ? [{ title: t.packages.tenants, table: tenantTable(t, tenants) }] : []),
      ],
    })
  })

  app.get<Route>('/users/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const user = User.parse(await get(site, request, 'user', request.params.ref))
    const back = path`/users/${user.id}`
    const grant = { title: t.users.grant, href: `/do/role.grant${query({ user: user.email, _back: back })}` }
    const act = { title: t.acting.start, href: `/do/user.impersonate${query({ user: user.email, _back: '/' })}` }
    const mayActAs =
      site.may(request, 'user.impersonate') &&
      placeOf(user) !== 'global' &&
      user.status === 'active' &&
      user.id !== request.session?.actor.id
    const revoke =
      site.may(request, 'role.revoke') && user.deletedAt === null
        ? (role: string) => `/do/role.revoke${query({ role, user: user.email, _back: back })}`
        : null
    const isLiving = user.deletedAt === null
    const about = { user: user.id }
    const [factor, sessions, keys] = await Promise.all([
      isLiving ? related(site, request, 'totp.get', about, TotpState) : null,
      isLiving ? items(site, request, 'session.list', { ...about, limit: 50 }, Session) : [],
      isLiving ? items(site, request, 'api-key.list', { ...about, limit: 50 }, ApiKey) : [],
    ])
    return show(site, request, reply, {
      kind: 'user',
      ref: user.email,
      title: user.email,
      kindTitle: t.users.title,
      status: statusBadge(user.status),
      isDeleted: user.deletedAt !== null,
      isSuspended: user.status === 'suspended',
      main:
        user.deletedAt === null
          ? [...(mayActAs ? [act] : []), ...(site.may(request, 'role.grant') ? [grant] : [])]
          : [],
      more: [
        ...(factor?.state === 'on' ? [{ title: t.factor.remove, operation: 'totp.delete' }] : []),
        ...(isLiving && site.may(request, 'user.reset-link')
          ? [{ title: t.users.resetLink, operation: 'user.reset-link' }]
          : []),
      ],
      sections: [
        userRoles(t, user, revoke),
        { title: t.account.sessions, table: sessionTable(t, sessions), empty: t.account.noSessions },
        ...(keys.length > 0 ? [{ title: t.apiKeys.title, table: apiKeyTable(t, keys) }] : []),
        { ...userFacts(t, user), isAside: true },
        ...(factor === null ? [] : [{ title: t.factor.title, facts: factorFacts(t, factor), isAside: true }]),
      ],
    })
  })

  app.get<Route>('/roles/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const role = Role.parse(await get(site, request, 'role', request.params.ref))
    return show(site, request, reply, {
      kind: 'role',
      ref: role.name,
      title: roleTitle(t, role.name),
      kindTitle: t.roleList.title,
      isDeleted: role.deletedAt !== null,
      isSuspended: false,
      isFixed: role.isBuiltIn,
      sections: [permissionFacts(t, role), { ...roleFacts(t, role), isAside: true }],
    })
  })

  app.get<Route>('/api-keys/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const { ref } = request.params
    const key = ApiKey.parse((await site.run(request, 'api-key.get', { apiKey: ref })).value)
    return show(site, request, reply, {
      kind: 'api-key',
      ref: key.id,
      title: key.name,
      kindTitle: t.apiKeys.title,
      status: statusBadge(key.status),
      isDeleted: false,
      isSuspended: false,
      main: site.may(request, 'api-key.revoke')
        ? [
            {
              title: t.verbs.revoke,
              href: `/do/api-key.revoke${query({ apiKey: key.id, _back: listPath('api-key') })}`,
              danger: true,
            },
          ]
        : [],
      sections: [
        permissionFacts(t, { holdsAll: false, permissions: key.scopes }),
        { ...apiKeyFacts(t, key), isAside: true },
      ],
    })
  })

  app.get<Route>('/webhooks/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const webhook = Webhook.parse(await get(site, request, 'webhook', request.params.ref))
    const sent = await items(site, request, 'webhook.deliveries', { webhook: webhook.id, limit: 50 }, Delivery)
    const mayResend = site.may(request, 'webhook.redeliver')
    return show(site, request, reply, {
      kind: 'webhook',
      ref: webhook.id,
      title: webhook.name,
      kindTitle: t.webhooks.title,
      status: webhookBadge(t, webhook),
      isDeleted: false,
      isSuspended: false,
      more: site.may(request, 'webhook.test') ? [{ title: t.webhooks.test, operation: 'webhook.test' }] : [],
      sections: [
        {
          title: t.webhooks.deliveries,
          table: deliveryTable(t, webhook, sent, { mayResend }),
          empty: t.webhooks.noDeliveries,
        },
        { ...webhookFacts(t, webhook), isAside: true },
      ],
    })
  })

  app.get<Route>('/resellers/:ref', { config: { access: 'session' } }, async (request, reply) => {
    const reseller = Reseller.parse(await get(site, request, 'reseller', request.params.ref))
    const isAlive = reseller.deletedAt === null
    const narrowed = { reseller: reseller.id, limit: 50 }
    const [tenants, packages] = await Promise.all([
      isAlive ? items(site, request, 'tenant.list', narrowed, Tenant) : [],
      isAlive ? items(site, request, 'package.list', narrowed, Package) : [],
    ])
    return show(site, request, reply, {
      kind: 'reseller',
      ref: reseller.email,
      title: reseller.email,
      kindTitle: t.resellers.title,
      status: statusBadge(reseller.status),
      isDeleted: !isAlive,
      isSuspended: false,
      sections: [
        { title: t.resellers.tenants, table: tenantTable(t, tenants), empty: t.tenants.none },
        {
          title: t.resellers.packages,
          table: packageTable(t, packages, { withReseller: false }),
          empty: t.resellers.noPackages,
        },
        { ...shareFacts(t, reseller), isAside: true },
        { ...resellerFacts(t, reseller), isAside: true },
      ],
    })
  })
}

function show(site: Site, request: FastifyRequest, reply: FastifyReply, detail: Detail): FastifyReply {
  const { t } = site
  const { kind, ref } = detail
  const get = site.operation(`${kind}.get`)
  const [name = kind] = httpBinding(get).pathKeys
  const input = { [name]: ref }
  const verbs = detail.isDeleted ? ['restore'] : ['update', detail.isSuspended ? 'unsuspend' : 'suspend', 'delete']
  const operations = (detail.isFixed ? [] : (detail.verbs ?? verbs))
    .map((verb) => `${kind}.${verb}`)
    .filter((name) => site.may(request, name))
    .map(site.operation)
  const words: Readonly<Record<string, string>> = t.verbs
  const action = (operation: AnyOperation): Action => ({
    title: words[verbOf(operation)] ?? verbOf(operation),
    href: `/do/${operation.name}${query(input)}`,
    danger: isDestructive(operation),
  })
  return site.send(request, reply, {
    template: 'detail',
    title: detail.title,
    model: {
      head: {
        title: detail.title,
        status: detail.status,
        crumbs: [{ title: detail.kindTitle, href: listPath(kind) }],
        actions: [
          ...(detail.main ?? []),
          ...(detail.more ?? []).map(({ title, operation }) => ({
            title,
            href: `/do/${operation}${query({ ...input, _back: `${listPath(kind)}/${ref}` })}`,
          })),
          ...operations.map(action),
        ],
      },
      sections: detail.sections,
      command: { line: toCommandLine(get, input), call: apiCallText(apiCall(get, input)) },
    },
  })
}

async function get(site: Site, request: FastifyRequest, kind: string, ref: string): Promise<unknown> {
  return (await site.run(request, `${kind}.get`, { [kind]: ref })).value
}

/** null when this visitor may not see it. */
async function related<T extends z.ZodType>(
  site: Site,
  request: FastifyRequest,
  name: string,
  input: Record<string, unknown>,
  schema: T,
): Promise<z.output<T> | null> {
  return site.may(request, name)
    ? orUnseen(
        site.run(request, name, input).then(({ value }) => schema.parse(value)),
        null,
      )
    : null
}

/** The first page of a list that this visitor may see and that can be narrowed in this way; else nothing. */
async function items<T extends z.ZodType>(
  site: Site,
  request: FastifyRequest,
  name: string,
  input: Record<string, unknown>,
  item: T,
): Promise<z.output<T>[]> {
  if (!site.may(request, name)) return []
  const { input: accepted } = site.operation(name)
  if (Object.keys(input).some((key) => fieldNamed(accepted, key) === undefined)) return []
  const page = z.object({ items: z.array(item) })
  return orUnseen(
    site.run(request, name, input).then(({ value }) => page.parse(value).items),
    [],
  )
}

/** What everybody may ask about themselves, and some about others, is left out where it is not for this visitor. */
async function orUnseen<T, F>(asked: Promise<T>, otherwise: F): Promise<T | F> {
  try {
    return await asked
  } catch (error) {
    const { code } = asWcpError(error)
    if (code === 'not_found' || code === 'forbidden') return otherwise
    throw error
  }
}
