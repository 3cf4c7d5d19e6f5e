/** What can be done with several things of a list at once, and which of them an address names. */
import type { FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { type AnyOperation, httpBinding } from '../../contract/operation.ts'
import { Id } from '../../contract/values.ts'
import { path, query } from '../../lib/safe-url.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, type Bulk, tableOf } from '../../resources/kind.ts'
import type { JobPlan } from '../http/types.ts'
import { type FormValues, inputOf } from './form-values.ts'
import type { PageKit } from './page-kit.ts'

/** Of one form. The address that names them, and the page that a browser comes from, share one bounded head of a request. */
export const mostAtOnce = 50

/** One thing, as the visitor sees it. */
export interface One {
  readonly id: Id
  /** As the list shows it. */
  readonly title: string
  /** The name that commands use. */
  readonly ref: string
  readonly href: string | null
}

/** Of one of them: what would change, or why nothing would. */
export type Planned = { readonly one: One } & ({ readonly plan: readonly JobPlan[] } | { readonly error: WcpError })

/** What has become of one of them. */
export type Result = { readonly one: One } & (
  | { readonly jobIds: readonly Id[] }
  | { readonly error: WcpError }
  | { readonly isLate: true }
)

/** A change of several things, and what of it was asked once for all. */
export interface Many {
  readonly kind: AnyKind
  readonly bulk: Bulk
  readonly operation: AnyOperation
  readonly ids: readonly Id[]
  readonly values: FormValues
}

/** The changes of several that this visitor may make, of what is alive or of what is in the trash. */
export function bulkFor(kit: PageKit, request: FastifyRequest, { name, list }: AnyKind, isTrash: boolean): Bulk[] {
  return (list?.bulk ?? []).filter(
    ({ verb }) => (verb === 'restore') === isTrash && kit.may(request, `${name}.${verb}`),
  )
}

/** `Suspend`, `Change: Plan` */
export function bulkTitle(t: Texts, { verb, asks = [] }: Bulk): string {
  const words: Readonly<Record<string, string>> = t.verbs
  if (verb !== 'update') return words[verb] ?? verb
  return `${t.many.change} ${asks.map((name) => label(t, name)).join(', ')}`
}

/** @param from query or body @throws not_found for what no kind declares */
export function manyOf(kit: PageKit, name: string, from: unknown): Many {
  const given = isRecord(from) ? from : {}
  const kind = kinds.find((one) => one.name === name)
  const bulk = kind?.list?.bulk?.find(({ verb }) => verb === given._verb)
  if (kind === undefined || bulk === undefined)
    throw new WcpError('not_found', `Cannot change several of "${name}" at once in this way`)
  const asked = (bulk.asks ?? []).flatMap((field) => {
    const value = given[field]
    return typeof value === 'string' ? [[field, value] as const] : []
  })
  const operation = kit.operation(`${kind.name}.${bulk.verb}`)
  return { kind, bulk, operation, ids: idsOf(given), values: Object.fromEntries(asked) }
}

/** Boxes of a list, or one word with all of them. */
function idsOf({ _one = [], _of = '' }: Readonly<Record<string, unknown>>): Id[] {
  const words = [...(Array.isArray(_one) ? _one : [_one]), ...(typeof _of === 'string' ? _of.split('.') : [])]
  const ids = new Set(words.flatMap((word) => Id.safeParse(word).data ?? []))
  if (ids.size > mostAtOnce)
    throw new WcpError('too_large', `Cannot change ${ids.size} at once: at most ${mostAtOnce}`, {
      help: 'Choose fewer of them, and the others afterwards.',
    })
  return [...ids]
}

/** The page that asks for it. */
export function addressOf({ kind, bulk }: Many, ids: readonly Id[], back: string): string {
  return path`/many/${kind.name}` + query({ _verb: bulk.verb, _of: ids.join('.'), _back: back })
}

/** The input for one of them; what was not asked is not sent. */
export function inputFor({ operation, values }: Many, ref: string): Record<string, unknown> {
  const [key = ''] = httpBinding(operation).pathKeys
  return inputOf(operation, { ...values, [key]: ref }, {})
}

/** As far as the visitor can still see it; null for what is gone. */
export async function seenOne(kit: PageKit, request: FastifyRequest, kind: AnyKind, id: Id): Promise<One | null> {
  const get = kit.operation(`${kind.name}.get`)
  const [key = kind.name] = httpBinding(get).pathKeys
  try {
    const item = kind.item.parse((await kit.run(request, get.name, { [key]: id })).value)
    const [cell] = tableOf(kind, kit.textsOf(request), [item]).rows[0] ?? []
    const ref = kind.detail === 'special' ? id : (kind.detail?.ref(item) ?? id)
    return { id, title: String(cell?.text ?? shownHost(ref)), ref, href: cell?.href ?? null }
  } catch (error) {
    if (error instanceof WcpError && error.code === 'not_found') return null
    throw error
  }
}
