/** One thing's page: its facts, what belongs to it, and what can be done with it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type AnyOperation, httpBinding, verbOf } from '../../contract/operation.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Action, Head, Section } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { Finding } from '../../resources/health/findings.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, type Detail, type DetailPage, wordsOf } from '../../resources/kind.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { driftSections } from './drift-sections.ts'
import { lookOf } from './look.ts'
import type { PageKit } from './page-kit.ts'
import { isDestructive } from './places.ts'
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

function detail(app: FastifyInstance, kit: PageKit, kind: AnyKind, { ref, page }: Detail<Item, unknown>): void {
  app.get<{ Params: { ref: string } }>(
    `${kind.path}/:ref`,
    { config: { access: 'session' } },
    async (request, reply) => {
      const get = kit.operation(`${kind.name}.get`)
      const [key = kind.name] = httpBinding(get).pathKeys
      const { value } = await kit.run(request, get.name, { [key]: request.params.ref })
      const item: Item = kind.item.parse(value)
      const look = lookOf(kit, request, kind)
      const [own, children, drift, again] = await Promise.all([
        page(item, look),
        childrenOf(kind, item, look),
        driftOf(kit, kind, ref(item), look),
        item.status === 'error' ? tryAgainWith(kit, request, item.id) : [],
      ])
      return show(
        kit,
        request,
        reply,
        { kind, get, item, input: { [key]: ref(item) }, ref: ref(item) },
        {
          ...own,
          main: [...again, ...(own.main ?? [])],
          sections: [...drift, ...children, ...own.sections],
        },
      )
    },
  )
}

/** Lists of other kinds on the page of their parent. */
function childrenOf(parent: AnyKind, { id, deletedAt }: Item, look: ReturnType<typeof lookOf>): Promise<Section[]> {
  const children = kinds.filter((kind) => kind.parent === parent.name)
  const about = deletedAt ? null : { [parent.name]: id, limit: 50 }
  return Promise.all(
    children.map(async (kind) => {
      const words = wordsOf(look.t, kind)
      return { title: words.many, table: await look.table(kind.name, about), empty: `${words.none}.` }
    }),
  )
}

/** What the watch over drift has found of it, with the way to put it back. */
async function driftOf(
  kit: PageKit,
  { name }: AnyKind,
  ref: string,
  look: ReturnType<typeof lookOf>,
): Promise<Section[]> {
  const repair = `${name}.repair`
  if (!look.may('health.findings') || !look.may(repair)) return []
  const found = await look.some('health.findings', { resource: `${name} ${ref}` }, Finding)
  const link = { title: kit.t.drift.repair, href: `/do/${repair}${query({ [name]: ref })}` }
  return driftSections(
    kit.t,
    found.flatMap(({ changes }) => changes),
  ).map((section) => ({ ...section, link }))
}

/** `Customers / acme` above a site; whose only customer it is sees the list of sites. */
function crumbsTo(kit: PageKit, request: FastifyRequest, kind: AnyKind, { tenantName }: Item): Head['crumbs'] {
  const parent = kinds.find(({ name }) => name === kind.parent)
  const isLocal = request.session?.actor.scope.kind === 'local'
  const own = { title: wordsOf(kit.t, kind).many, href: kind.path }
  if (parent?.name !== 'tenant' || !tenantName || isLocal || !kit.may(request, 'tenant.list')) return [own]
  const above = { title: tenantName, href: parent.path + path`/${tenantName}` }
  return [{ title: wordsOf(kit.t, parent).many, href: parent.path }, above]
}

interface Shown {
  readonly kind: AnyKind
  readonly get: AnyOperation
  readonly item: Item
  readonly input: Readonly<Record<string, string>>
  readonly ref: string
}

function show(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  { kind, get, item, input, ref }: Shown,
  detail: DetailPage,
): FastifyReply {
  const { t } = kit
  const title = detail.title ?? ref
  const suspension = item.status === 'suspended' ? 'unsuspend' : 'suspend'
  const verbs = item.deletedAt ? ['restore'] : ['update', suspension, 'delete']
  const operations = (detail.isFixed ? [] : (detail.verbs ?? verbs))
    .map((verb) => `${kind.name}.${verb}`)
    .filter((name) => kit.may(request, name))
    .map(kit.operation)
  const words: Readonly<Record<string, string>> = t.verbs
  const action = (operation: AnyOperation): Action => ({
    title: words[verbOf(operation)] ?? verbOf(operation),
    href: `/do/${operation.name}${query(input)}`,
    danger: isDestructive(operation),
  })
  return kit.send(request, reply, {
    template: 'detail',
    title,
    model: {
      head: {
        title,
        status: detail.status,
        crumbs: crumbsTo(kit, request, kind, item),
        actions: [
          ...(detail.main ?? []),
          ...(detail.more ?? []).map(({ title, operation }) => ({
            title,
            href: `/do/${operation}${query({ ...input, _back: `${kind.path}/${ref}` })}`,
          })),
          ...operations.map(action),
        ],
      },
      sections: detail.sections,
      command: { line: toCommandLine(get, input), call: apiCallText(apiCall(get, input)) },
    },
  })
}
