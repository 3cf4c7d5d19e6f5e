/** A directory as a table. */
import type { Cell, Table } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import type { SiteFile } from './schema.ts'
import type { words } from './words.ts'

/** @param domain as addresses name it */
export function fileTable(
  t: Texts,
  domain: string,
  items: readonly SiteFile[],
  { many, fields, kinds }: typeof words,
): Table {
  return {
    caption: many,
    columns: [
      { title: fields.path },
      { title: fields.size, number: true },
      { title: fields.mode, wide: true },
      { title: fields.modifiedAt, wide: true },
    ],
    rows: items.map((one) => [
      nameCell(domain, one, kinds),
      { text: one.kind === 'file' ? t.format.bytes(one.size) : '' },
      { code: one.mode },
      { time: one.modifiedAt },
    ]),
  }
}

export function addressOf(domain: string, { path: place, kind }: Pick<SiteFile, 'path' | 'kind'>): string {
  const page = kind === 'directory' ? 'in' : 'file'
  return path`/domains/${domain}/files/${page}` + query({ path: place })
}

function nameCell(domain: string, one: SiteFile, kinds: (typeof words)['kinds']): Cell {
  const name = one.kind === 'directory' ? `${one.name}/` : one.name
  const sub = one.target === null ? kinds[one.kind] : `→ ${one.target}`
  return { text: name, href: addressOf(domain, one), ...((one.kind === 'link' || one.kind === 'other') && { sub }) }
}
