/** Files of sites: what lies on the disk of the tenant, seen and changed by a process of the tenant's. */

import type { Section } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { defineKind, type Hub, type Tab } from '../kind.ts'
import * as operations from './operations.ts'
import { SiteFile } from './schema.ts'
import { fileTable } from './table.ts'
import { words } from './words.ts'

const filesTab: Tab<Hub, typeof words> = {
  slug: 'files',
  order: 20,
  title: ({ words }) => words.many,
  needs: 'file.list',
  input: ({ ref }) => ({ domain: ref }),
  async sections({ ref, isGone }, { t, some, words }): Promise<Section[]> {
    const items = isGone ? [] : await some('file.list', { domain: ref, limit: 200 }, SiteFile)
    const all = path`/domains/${ref}/files/in`
    return [
      {
        title: words.root,
        table: fileTable(t, ref, items, words),
        empty: `${words.none}.`,
        link:
          items.length === 200
            ? { title: words.more, href: all + query({ after: items.at(-1)?.name }) }
            : { title: words.manage, href: all },
      },
    ]
  },
}

export const file = defineKind({
  name: 'file',
  words,
  path: '/domains',
  item: SiteFile,
  tabs: { domain: [filesTab] },
  examples: {
    list: { domain: 'bakery.example.com' },
    get: { domain: 'bakery.example.com', path: 'index.html' },
    add: { domain: 'bakery.example.com', path: 'new.html', text: 'Bread' },
    update: { domain: 'bakery.example.com', path: 'index.html', text: 'Bread', tag: '1-2-3-4' },
    upload: { domain: 'bakery.example.com', path: 'bread.jpg' },
    mkdir: { domain: 'bakery.example.com', path: 'css' },
    move: { domain: 'bakery.example.com', path: 'index.html', to: 'start.html' },
    discard: { domain: 'bakery.example.com', path: 'index.html' },
    trash: { domain: 'bakery.example.com' },
    restore: { domain: 'bakery.example.com', name: '1772323200000-0a1b2c3d' },
    download: { domain: 'bakery.example.com', path: 'index.html' },
  },
  operations,
})
