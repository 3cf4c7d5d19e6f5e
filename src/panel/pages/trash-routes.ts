/** The trash: what was deleted of every kind, how long it is kept, and the way back. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fieldNamed } from '../../contract/fields.ts'
import { httpBinding } from '../../contract/operation.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Cell, Section } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, tableOf, wordsOf } from '../../resources/kind.ts'
import { trashDays } from '../../resources/trash-days.ts'
import { apiCall, apiCallText } from './api-call.ts'
import type { PageKit } from './page-kit.ts'
import { restorable } from './restorable.ts'

const mostOfAKind = 50
const dayMs = 86_400_000

const Thrown = z.looseObject({ id: z.string(), deletedAt: z.string().nullable() })

export function trashRoutes(app: FastifyInstance, kit: PageKit): void {
  app.get('/trash', { config: { access: 'session' } }, async (request, reply) => {
    const t = kit.textsOf(request)
    const seen = restorable((name) => kit.may(request, name)).filter((kind) => hasTrash(kit, kind))
    const sections = await Promise.all(seen.map((kind) => sectionOf(kit, request, kind)))
    const full = sections.filter(({ table }) => (table?.rows.length ?? 0) > 0)
    const list = kit.operation(`${(seen[0] ?? kinds[0])?.name}.list`)
    const input = { deleted: true }
    return kit.send(request, reply, {
      template: 'detail',
      title: t.nav.trash,
      model: {
        head: { title: t.nav.trash, lede: t.trash.lede },
        sections: full.length > 0 ? full : [{ title: t.nav.trash, empty: t.trash.none }],
        command: { line: toCommandLine(list, input), call: apiCallText(apiCall(list, input)) },
      },
    })
  })
}

function hasTrash(kit: PageKit, { name }: AnyKind): boolean {
  return fieldNamed(kit.operation(`${name}.list`).input, 'deleted') !== undefined
}

async function sectionOf(kit: PageKit, request: FastifyRequest, kind: AnyKind): Promise<Section> {
  const t = kit.textsOf(request)
  const title = wordsOf(t, kind).many
  const page = z.object({ items: z.array(kind.item), nextCursor: z.string().nullable() })
  const asked = { deleted: true, limit: mostOfAKind }
  const { items, nextCursor } = page.parse((await kit.run(request, `${kind.name}.list`, asked)).value)
  const { rows } = tableOf(kind, t, items)
  const all = { title: t.list.showAll, href: `${kind.path}?deleted=true` }
  return {
    title,
    table: {
      caption: title,
      columns: [
        { title: label(t, 'name') },
        { title: label(t, 'deletedAt') },
        { title: t.trash.kept },
        { title: t.verbs.restore, hidden: true },
      ],
      rows: items.map((item, at) => rowOf(kit, t, kind, Thrown.parse(item), rows[at]?.[0] ?? {})),
    },
    ...(nextCursor !== null && kind.menu !== undefined && { link: all }),
  }
}

function rowOf(kit: PageKit, t: Texts, kind: AnyKind, { id, deletedAt }: z.output<typeof Thrown>, name: Cell): Cell[] {
  const restore = kit.operation(`${kind.name}.restore`)
  const [key = kind.name] = httpBinding(restore).pathKeys
  const href = `/do/${restore.name}${query({ [key]: id, _back: '/trash' })}`
  const said = String(name.text ?? '')
  return [
    name,
    deletedAt === null ? { text: '–' } : { time: deletedAt },
    { text: deletedAt === null ? '–' : daysLeft(t, Date.now() - Date.parse(deletedAt)) },
    { text: t.verbs.restore, href, label: said },
  ]
}

function daysLeft(t: Texts, ageMs: number): string {
  const days = Math.max(0, trashDays - Math.floor(ageMs / dayMs))
  return days === 1 ? t.trash.oneDay : `${days} ${t.trash.days}`
}
