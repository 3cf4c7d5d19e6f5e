/** The tabs of a thing's page: those of its kind, and those that other kinds put there. */
import type { FastifyRequest } from 'fastify'
import type { AnyOperation } from '../../contract/operation.ts'
import type { Section } from '../../lib/page-model.ts'
import { path } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, type Asked, type Hub, type Input, type Tab, wordsOf } from '../../resources/kind.ts'
import { listTab } from '../../resources/list-tab.ts'
import { lookOf } from './look.ts'
import type { PageKit } from './page-kit.ts'

/** A tab of one thing, for one visitor. */
export interface OpenTab {
  /** It is left out for all others. */
  readonly isFor: boolean
  readonly slug: string
  readonly order: number
  readonly title: string
  readonly command: { readonly operation: AnyOperation; readonly input: Input }
  sections(asked: Asked): Promise<readonly Section[]>
}

/** What a thing of any kind has that tabs of other kinds need. */
interface Item {
  readonly id: string
  readonly deletedAt?: string | null
  readonly tenantName?: string | null
}

/** Also those that are not for this visitor. */
export function tabsOf(kit: PageKit, request: FastifyRequest, kind: AnyKind, item: Item): OpenTab[] {
  const detail = kind.detail === 'special' ? undefined : kind.detail
  const ref = detail?.ref(item) ?? item.id
  const tenant = kind.name === 'tenant' ? ref : (item.tenantName ?? null)
  const hub: Hub = { kind: kind.name, id: item.id, ref, tenant, isGone: Boolean(item.deletedAt) }
  // Each tab is asked with the words of the kind that it is of.
  const open = <T>(of: AnyKind, tab: Tab<T, never>, one: T): OpenTab => {
    const look = lookOf(kit, request, of, kind.name)
    return {
      isFor: kit.may(request, tab.needs),
      slug: tab.slug,
      order: tab.order ?? 50,
      title: tab.title(look as never),
      command: { operation: kit.operation(tab.needs), input: tab.input(one) },
      sections: (asked) => tab.sections(one, look as never, asked),
    }
  }
  const all = [
    ...(detail?.tabs ?? []).map((tab) => open(kind, tab, item)),
    ...kinds.flatMap((other) => tabsOn(other, kind, detail?.front).map((tab) => open(other, tab, hub))),
  ]
  return all.sort((one, next) => one.order - next.order)
}

/** What `other` says, else its list below its parent, unless that comes first there anyway. */
function tabsOn(other: AnyKind, kind: AnyKind, front: string | undefined): readonly Tab<Hub, never>[] {
  const said = other.tabs?.[kind.name]
  if (said !== undefined) return said
  if (other.parent !== kind.name || other.name === front) return []
  const add = other.list?.add?.at(-1)
  const own = { kind: other.name, slug: other.path.slice(1), ...(add !== undefined && { add }) }
  return [listTab({ ...own, input: ({ ref }) => ({ [kind.name]: ref }) })]
}

interface TabLink {
  readonly title: string
  readonly href: string
  readonly current: boolean
}

/** None where there is nothing to choose from. */
export function tabLinks(
  t: Texts,
  kind: AnyKind,
  ref: string,
  all: readonly OpenTab[],
  current: string | null,
): TabLink[] {
  const tabs = all.filter(({ isFor }) => isFor)
  if (tabs.length === 0) return []
  const front = kinds.find(({ name }) => kind.detail !== 'special' && name === kind.detail?.front)
  const first = front === undefined ? t.nav.overview : wordsOf(t, front).many
  const home = kind.path + path`/${ref}`
  return [
    { title: first, href: home, current: current === null },
    ...tabs.map(({ slug, title }) => ({ title, href: `${home}/${slug}`, current: slug === current })),
  ]
}
