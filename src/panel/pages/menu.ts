/** The menu of a visitor: what they may not call is left out, and a customer has a menu of their own. */
import { path } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import type { Actor } from '../../resources/actor.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, type MenuGroup, wordsOf } from '../../resources/kind.ts'
import { restorable } from './restorable.ts'
import type { Frame, MenuItem } from './view.ts'

export interface Visiting {
  readonly url: string
  readonly actor: Actor | null
  may(operation: string): boolean
}

type Item = Omit<MenuItem, 'current'>

export function menuFor(t: Texts, visiting: Visiting): Frame['menu'] {
  const overview = { title: t.nav.overview, href: '/', icon: 'overview' }
  const terminal = { title: t.nav.terminal, href: '/terminal', icon: 'terminal' }
  const api = { title: t.nav.api, href: '/api-reference', icon: 'api' }
  const isRestoring = restorable(visiting.may).length > 0
  const trash = isRestoring ? [{ title: t.nav.trash, href: '/trash', icon: 'trash' }] : []
  const items = (group: MenuGroup) =>
    kinds.flatMap((kind) => (kind.menu?.group === group ? itemOf(t, visiting, kind) : []))
  const groups = [
    { title: null, items: [overview, ...items('hosting')] },
    { title: t.layout.activity, items: [...items('activity'), ...trash] },
    { title: t.layout.settings, items: items('settings') },
    { title: t.layout.developer, items: [...items('developer'), terminal, api] },
  ]
  const here = visiting.url.split('?')[0] ?? '/'
  return groups
    .filter((group) => group.items.length > 0)
    .map(({ title, items }) => ({ title, items: items.map((item) => ({ ...item, current: isAt(here, item.href) })) }))
}

/** Whose only customer is known goes there instead of to a list of one. */
function itemOf(t: Texts, { actor, may }: Visiting, kind: AnyKind): Item[] {
  const { menu } = kind
  if (menu === undefined) return []
  const scope = actor?.kind === 'user' ? actor.scope : null
  if (kind.name === 'tenant' && scope?.kind === 'local')
    return may('tenant.get')
      ? [{ title: t.nav.ownHosting, href: kind.path + path`/${scope.tenant}`, icon: 'package' }]
      : []
  return may(`${kind.name}.list`) ? [{ title: wordsOf(t, kind).many, href: kind.path, icon: menu.icon }] : []
}

function isAt(here: string, href: string): boolean {
  return href === '/' ? here === '/' : here === href || here.startsWith(`${href}/`)
}
