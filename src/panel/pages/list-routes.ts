/** The list of each kind: filter, table, pages by cursor, and the command that lists the same. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { toCommandLine } from '../../lib/command-spec.ts'
import { fieldNamed } from '../../lib/fields.ts'
import type { Action, Empty, Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { apiKeyTable } from '../../resources/api-key/pages.ts'
import { ApiKey } from '../../resources/api-key/schema.ts'
import { auditTable } from '../../resources/audit/pages.ts'
import { AuditEntry } from '../../resources/audit/schema.ts'
import { domainTable } from '../../resources/domain/pages.ts'
import { Domain } from '../../resources/domain/schema.ts'
import { jobTable } from '../../resources/job/pages.ts'
import { Job } from '../../resources/job/schema.ts'
import { mailTable } from '../../resources/mail/pages.ts'
import { Mail } from '../../resources/mail/schema.ts'
import { packageTable } from '../../resources/package/pages.ts'
import { Package } from '../../resources/package/schema.ts'
import { resellerTable } from '../../resources/reseller/pages.ts'
import { Reseller } from '../../resources/reseller/schema.ts'
import { roleTable } from '../../resources/role/pages.ts'
import { Role } from '../../resources/role/schema.ts'
import { tenantTable } from '../../resources/tenant/pages.ts'
import { Tenant } from '../../resources/tenant/schema.ts'
import { userTable } from '../../resources/user/pages.ts'
import { User } from '../../resources/user/schema.ts'
import { webhookTable } from '../../resources/webhook/pages.ts'
import { Webhook } from '../../resources/webhook/schema.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { listPath } from './places.ts'
import { query } from './safe-url.ts'
import type { Site } from './site.ts'

interface ListWords {
  readonly title: string
  readonly lede: string
  readonly none: string
  readonly noneText: string
  readonly add?: string
}

interface ListKind<T extends z.ZodType> {
  readonly kind: string
  readonly words: (t: Texts) => ListWords
  readonly item: T
  readonly table: (t: Texts, items: z.output<T>[]) => Table
  /** What the form of a new one begins with. */
  readonly begin?: (request: FastifyRequest) => Readonly<Record<string, string | undefined>>
  /** `given`: how the list is narrowed. */
  readonly actions?: (t: Texts, given: Readonly<Record<string, string>>) => readonly Action[]
}

/** Inputs that a list may take, as controls above it. */
const textFilters = ['search', 'action', 'actor', 'since', 'until', 'role', 'reseller']
const choiceFilters = ['status', 'state', 'outcome']

type ListQuery = Readonly<Record<string, string | undefined>>

export function listRoutes(app: FastifyInstance, site: Site): void {
  list(app, site, { kind: 'tenant', words: (t) => t.tenants, item: Tenant, table: tenantTable })
  list(app, site, {
    kind: 'domain',
    words: (t) => t.domains,
    item: Domain,
    table: (texts, items) => domainTable(texts, items),
  })
  list(app, site, { kind: 'package', words: (t) => t.packages, item: Package, table: packageTable })
  list(app, site, {
    kind: 'user',
    words: (t) => t.users,
    item: User,
    table: userTable,
    actions: (t) => [{ title: t.users.invite, href: '/do/user.invite' }],
  })
  list(app, site, { kind: 'role', words: (t) => t.roleList, item: Role, table: roleTable })
  list(app, site, { kind: 'reseller', words: (t) => t.resellers, item: Reseller, table: resellerTable })
  list(app, site, {
    kind: 'api-key',
    words: (t) => t.apiKeys,
    item: ApiKey,
    table: apiKeyTable,
    begin: ({ session }) => ({ user: session?.actor.email, _back: '/api-keys' }),
  })
  list(app, site, { kind: 'mail', words: (t) => t.mails, item: Mail, table: mailTable })
  list(app, site, { kind: 'webhook', words: (t) => t.webhooks, item: Webhook, table: webhookTable })
  list(app, site, { kind: 'job', words: (t) => t.jobs, item: Job, table: jobTable })
  list(app, site, {
    kind: 'audit',
    words: (t) => t.audit,
    item: AuditEntry,
    table: auditTable,
    actions: (t, given) => [
      { title: t.audit.verify, href: '/audit/verify' },
      { title: t.audit.export, href: `/audit/export${query(given)}` },
    ],
  })
}

function list<T extends z.ZodType>(app: FastifyInstance, site: Site, kind: ListKind<T>): void {
  const page = z.object({ items: z.array(kind.item), nextCursor: z.string().nullable() })
  const action = listPath(kind.kind)
  const name = `${kind.kind}.list`

  app.get<{ Querystring: ListQuery }>(action, { config: { access: 'session' } }, async (request, reply) => {
    const { t } = site
    const words = kind.words(t)
    const operation = site.operation(name)
    const keys = ['cursor', 'deleted', ...textFilters, ...choiceFilters].filter((key) =>
      fieldNamed(operation.input, key),
    )
    const given = keys.flatMap((key) => (request.query[key] ? [[key, request.query[key]] as const] : []))
    const input = Object.fromEntries(given)
    const { items, nextCursor } = page.parse((await site.run(request, name, input)).value)

    const create = `${kind.kind}.create`
    const add =
      words.add !== undefined && site.may(request, create)
        ? { title: words.add, href: `/do/${create}${query(kind.begin?.(request) ?? {})}` }
        : null
    const { cursor, ...narrowing } = input
    return site.send(request, reply, {
      template: 'list',
      title: words.title,
      model: {
        head: {
          title: words.title,
          lede: words.lede,
          actions: [
            ...(kind.actions?.(t, narrowing) ?? []),
            ...(add === null ? [] : [{ ...add, main: true, icon: 'add' }]),
          ],
        },
        problem: null,
        filter: filterOf(site, request, operation.input, action, narrowing),
        table: kind.table(t, items),
        empty: Object.keys(narrowing).length > 0 ? nothingFits(t, action) : emptyOf(words, add),
        pager: {
          first: cursor ? action + query(narrowing) : null,
          next: nextCursor === null ? null : action + query({ ...narrowing, cursor: nextCursor }),
        },
        command: { line: toCommandLine(operation, input), call: apiCallText(apiCall(operation, input)) },
      },
    })
  })
}

function filterOf(
  site: Site,
  request: FastifyRequest,
  input: z.ZodObject,
  action: string,
  given: Readonly<Record<string, string>>,
): object | null {
  const { t } = site
  const takes = (key: string) =>
    fieldNamed(input, key) !== undefined && (key !== 'reseller' || site.may(request, 'reseller.list'))
  const words: Readonly<Record<string, string>> = { ...t.statuses, ...t.roles, ...t.audit.outcomes }
  const texts = textFilters.filter(takes).map((name) => ({ name, title: label(t, name), value: given[name] ?? '' }))
  const selects = choiceFilters.filter(takes).map((name) => ({
    name,
    title: label(t, name),
    value: given[name] ?? '',
    choices: (fieldNamed(input, name)?.choices ?? []).map((word) => ({ value: word, title: words[word] ?? word })),
  }))
  const hasDeleted = takes('deleted')
  if (texts.length + selects.length === 0 && !hasDeleted) return null
  return { action, texts, selects, hasDeleted, deleted: given.deleted === 'true' }
}

function nothingFits(t: Texts, action: string): Empty {
  return { title: t.list.noMatch, text: t.list.noMatchText, action: { title: t.list.showAll, href: action } }
}

function emptyOf(words: ListWords, add: { title: string; href: string } | null): Empty {
  return { title: words.none, text: words.noneText, ...(add !== null && { action: add }) }
}
