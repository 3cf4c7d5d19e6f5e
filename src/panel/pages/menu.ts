/** The menu of a visitor: what they may not call is left out. */
import type { Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type MenuGroup, wordsOf } from '../../resources/kind.ts'
import type { Frame } from './view.ts'

export function menuFor(t: Texts, url: string, may: (operation: string) => boolean): Frame['menu'] {
  const here = url.split('?')[0] ?? '/'
  const item = (title: string, href: string, icon: string) => ({
    title,
    href,
    icon,
    current: href === '/' ? here === '/' : here === href || here.startsWith(`${href}/`),
  })
  const items = (group: MenuGroup) =>
    kinds.flatMap((kind) =>
      kind.menu?.group === group && may(`${kind.name}.list`)
        ? [item(wordsOf(t, kind).many, kind.path, kind.menu.icon)]
        : [],
    )
  const special = [item(t.nav.terminal, '/terminal', 'terminal'), item(t.nav.api, '/api-reference', 'api')]
  return [
    { title: null, items: [item(t.nav.overview, '/', 'overview')] },
    { title: t.layout.hosting, items: items('hosting') },
    { title: t.layout.activity, items: items('activity') },
    { title: t.layout.system, items: [...items('system'), ...special] },
  ].filter((group) => group.items.length > 0)
}
