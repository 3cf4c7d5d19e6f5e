/** A kind's list as a tab on the page of a thing that it belongs to. */
import { query } from '../lib/safe-url.ts'
import type { KindWords } from '../lib/texts.ts'
import type { Hub, Look, Tab } from './kind.ts'

export interface ListTab<W> {
  readonly kind: string
  readonly slug: string
  readonly order?: number
  /** Heading of the kind unless told. */
  title?(look: Pick<Look<W>, 't' | 'words'>): string
  /** Verb that makes one; `create` unless told. */
  readonly add?: string
  /** How the list is narrowed, and how the form of a new one begins. */
  input(hub: Hub): Readonly<Record<string, string>>
}

const shown = 50

export function listTab<W extends KindWords>({
  kind,
  slug,
  order,
  title,
  add: verb = 'create',
  input,
}: ListTab<W>): Tab<Hub, W> {
  const titleOf: Tab<Hub, W>['title'] = (look) => title?.(look) ?? look.words.many
  return {
    slug,
    ...(order !== undefined && { order }),
    title: titleOf,
    needs: `${kind}.list`,
    input,
    async sections(hub, look) {
      const { words } = look
      const table = await look.table(kind, hub.isGone ? null : { ...input(hub), limit: shown })
      const add = `${kind}.${verb}`
      const mayAdd = words.add !== undefined && !hub.isGone && look.may(add)
      return [
        {
          title: titleOf(look),
          table,
          empty: `${words.none}.`,
          ...(mayAdd && { link: { title: words.add, href: `/do/${add}${query(input(hub))}` } }),
        },
      ]
    },
  }
}
