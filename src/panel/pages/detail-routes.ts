/** One thing's page: its facts, the tabs of what belongs to it, and what can be done with it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { type AnyOperation, httpBinding, verbOf } from '../../contract/operation.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Action, Head, Section } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { Finding } from '../../resources/health/findings.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, type Asked, type Detail, type DetailPage, type Look, wordsOf } from '../../resources/kind.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { driftSections } from './drift-sections.ts'
import { lookOf } from './look.ts'
import type { PageKit } from './page-kit.ts'
import { isDestructive } from './places.ts'
import { type OpenTab, tabLinks, tabsOf } from './tabs.ts'
import { tryAgainWith } from './try-again.ts'

/** The fields of an item that the page of every kind needs. */
interface Item {
  readonly id: string
  readonly status?: string
  readonly deletedAt?: string | null
  readonly tenantName?: string | null
}

export function detailRoutes(app: FastifyInstance, kit: PageKit): void {
  for (const kind of kinds)
    if (kind.detail !== undefined && kind.detail !== 'special') detail(app, kit, kind, kind.detail)
}

function detail(app: FastifyInstance, kit: PageKit, kind: AnyKind, own: Detail<Item, unknown>): void {
  const access = { config: { access: 'session' } } as const
  const seen = async (request: FastifyRequest, name: string): Promise<Seen> => {
    const get = kit.operation(`${kind.name}.get`)
    const [key = kind.name] = httpBinding(get).pathKeys
    const { value } = await kit.run(request, get.name, { [key]: name })
    const item: Item = kind.item.parse(value)
    const ref = own.ref(item)
    const input = { [key]: ref }
    const look = lookOf(kit, request, kind)
    return { kind, get, item, input, ref, detail: await own.page(item, look), tabs: tabsOf(kit, request, kind, item) }
  }

  app.get<{ Params: { ref: string } }>(`${kind.path}/:ref`, access, async (request, reply) => {
    const one = await seen(request, request.params.ref)
    const { item, ref, detail } = one
    const look = lookOf(kit, request, kind)
    const [first, drift, front, again] = await Promise.all([
      detail.first?.() ?? [],
      driftOf(kind, ref, look),
      frontOf(own, one, look),
      item.status === 'error' ? tryAgainWith(kit, request, item.id) : [],
    ])
    return show(kit, request, reply, one, {
      slug: null,
      again,
      sections: [...drift, ...front, ...detail.sections, ...first],
      command: { operation: one.get, input: one.input },
    })
  })

  app.get<{ Params: { ref: string; tab: string }; Querystring: Asked }>(
    `${kind.path}/:ref/:tab`,
    access,
    async (request, reply) => {
      const one = await seen(request, request.params.ref)
      const tab = one.tabs.find(({ slug }) => slug === request.params.tab)
      if (tab === undefined) throw new WcpError('not_found', `Cannot find that part of the page of "${one.ref}"`)
      if (!tab.isFor)
        throw new WcpError('forbidden', `Cannot show that part of the page of "${one.ref}": you may not call it`)
      const sections = await tab.sections(request.query)
      return show(kit, request, reply, one, { slug: tab.slug, again: [], sections, command: tab.command })
    },
  )
}

/** The list of the kind that comes first on the page of its parent. */
async function frontOf({ front }: Detail<Item, unknown>, one: Seen, look: Look): Promise<Section[]> {
  const kind = kinds.find(({ name }) => name === front)
  if (kind === undefined) return []
  const words = wordsOf(look.t, kind)
  const about = one.item.deletedAt ? null : { [one.kind.name]: one.item.id, limit: 50 }
  return [{ title: words.many, table: await look.table(kind.name, about), empty: `${words.none}.` }]
}

/** What the watch over drift has found of it, with the way to put it back. */
async function driftOf({ name }: AnyKind, ref: string, look: ReturnType<typeof lookOf>): Promise<Section[]> {
  const repair = `${name}.repair`
  if (!look.may('health.findings') || !look.may(repair)) return []
  const found = await look.some('health.findings', { resource: `${name} ${ref}` }, Finding)
  const link = { title: look.t.drift.repair, href: `/do/${repair}${query({ [name]: ref })}` }
  return driftSections(
    look.t,
    found.flatMap(({ changes }) => changes),
  ).map((section) => ({ ...section, link }))
}

/** `Customers / acme` above a site; whose only customer it is sees the list of sites. */
function crumbsTo(kit: PageKit, request: FastifyRequest, kind: AnyKind, { tenantName }: Item): Head['crumbs'] {
  const parent = kinds.find(({ name }) => name === kind.parent)
  const isLocal = request.session?.actor.scope.kind === 'local'
  const t = kit.textsOf(request)
  const own = { title: wordsOf(t, kind).many, href: kind.path }
  if (parent?.name !== 'tenant' || !tenantName || isLocal || !kit.may(request, 'tenant.list')) return [own]
  const above = { title: tenantName, href: parent.path + path`/${tenantName}` }
  return [{ title: wordsOf(t, parent).many, href: parent.path }, above]
}

/** A thing, and what its pages have in common. */
interface Seen {
  readonly kind: AnyKind
  readonly get: AnyOperation
  readonly item: Item
  readonly input: Readonly<Record<string, string>>
  readonly ref: string
  readonly detail: DetailPage
  readonly tabs: readonly OpenTab[]
}

interface Part {
  /** null: the first. */
  readonly slug: string | null
  readonly again: readonly Action[]
  readonly sections: readonly Section[]
  readonly command: OpenTab['command']
}

function show(kit: PageKit, request: FastifyRequest, reply: FastifyReply, one: Seen, part: Part): FastifyReply {
  const { kind, item, input, ref, detail, tabs } = one
  const title = detail.title ?? ref
  const { operation, input: asked } = part.command
  return kit.send(request, reply, {
    template: 'detail',
    title,
    model: {
      head: {
        title,
        lede: detail.lede,
        status: detail.status,
        crumbs: crumbsTo(kit, request, kind, item),
        actions: [
          ...part.again,
          ...(detail.main ?? []),
          ...(detail.more ?? []).map(({ title, operation }) => ({
            title,
            href: `/do/${operation}${query({ ...input, _back: `${kind.path}/${ref}` })}`,
          })),
          ...verbsOf(kit, request, one),
        ],
      },
      tabs: tabLinks(kit.textsOf(request), kind, ref, tabs, part.slug),
      sections: part.sections,
      command: { line: toCommandLine(operation, asked), call: apiCallText(apiCall(operation, asked)) },
    },
  })
}

function verbsOf(kit: PageKit, request: FastifyRequest, { kind, item, input, detail }: Seen): Action[] {
  const suspension = item.status === 'suspended' ? 'unsuspend' : 'suspend'
  const verbs = item.deletedAt ? ['restore'] : ['update', suspension, 'delete']
  const words: Readonly<Record<string, string>> = kit.textsOf(request).verbs
  return (detail.isFixed ? [] : (detail.verbs ?? verbs))
    .map((verb) => `${kind.name}.${verb}`)
    .filter((name) => kit.may(request, name))
    .map(kit.operation)
    .map((operation) => ({
      title: words[verbOf(operation)] ?? verbOf(operation),
      href: `/do/${operation.name}${query(input)}`,
      danger: isDestructive(operation),
    }))
}
