/** All words of pages come from the catalogue, and all that it has is said somewhere. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { verbOf } from '../../contract/operation.ts'
import { shared } from '../../lib/texts.ts'
import { assetNames, assetText } from '../../program/assets.ts'
import { kinds, operations } from '../../resources/index.ts'
import { jobTypes } from '../../resources/jobs.ts'

const here = join(import.meta.dirname, '../..')
const source = (path: string) => readFileSync(join(here, path), 'utf8')
const sources = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && path !== 'lib/texts.ts')
  .map((path) => ({ path, text: source(path) }))

const templates = ['templates/pages/', 'templates/partials/']
  .flatMap(assetNames)
  .filter((name) => name.endsWith('.eta'))
  .map((path) => ({ path, text: assetText(path) }))

const everything = [...sources, ...templates].map(({ text }) => text).join('\n')

/** Of two letters and more: units such as `s` stand in the catalogue, and a lone letter says nothing. */
const word = /\p{L}{2}/u

describe.each(templates)('$path', ({ text }) => {
  const markup = text.replaceAll(/<%[\s\S]*?%>/g, '\u0001').replaceAll(/<!--[\s\S]*?-->/g, '')

  it('has no words of its own, but commands', () => {
    const said = markup
      .replaceAll(/<code\b[\s\S]*?<\/code>/g, '')
      .replaceAll(/<(?:"[^"]*"|[^>"])*>/g, '\n')
      .split('\n')
    expect(said.filter((line) => word.test(line))).toEqual([])
  })

  it('has none in an attribute that is read out', () => {
    const read = [...markup.matchAll(/\s(?:aria-label|title|alt|placeholder)="([^"]*)"/g)].map(
      ([, value = '']) => value,
    )
    expect(read.filter((value) => word.test(value))).toEqual([])
  })
})

/** What pages are made of: their own code, and that of the kinds, without the catalogue that lies there. */
const ofPages = sources
  .filter(
    ({ path }) =>
      /^(panel\/pages|resources)\//.test(path) &&
      !/\/(?:words|token|.*conditions|.*operations|.*migration|.*store|.*schema)\.ts$/.test(path),
  )
  .map(({ path, text }) => ({
    path,
    text: text
      .replaceAll(/^(?:export )?const words = \{[\s\S]*?\n\}/gm, '')
      .replaceAll(/^ {2}(?:words|examples): \{[\s\S]*?\n {2}\},/gm, ''),
  }))

/** Keys of the model of pages whose values people read. */
const readKeys = 'title|text|label|lede|sub|empty|caption|note|hint|placeholder|submit|unit'

/** Names of things that are the same in each language. */
const named = new Set(['TXT', 'wcp360'])

it.each(ofPages)('$path puts no words of its own on a page', ({ text }) => {
  const literals = [...text.matchAll(new RegExp(`\\b(?:${readKeys}): (?:'([^'\\n]*)'|\`([^\`]*)\`)`, 'g'))]
  const said = literals.map(
    ([, plain, template]) => plain ?? (template ?? '').replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, ''),
  )
  expect(said.filter((each) => word.test(each) && !named.has(each) && !/^(SHA-256 |HTTP )/.test(each))).toEqual([])
})

describe('the catalogue', () => {
  const leaves = (value: object, path: readonly string[] = []): string[][] =>
    Object.entries(value).flatMap(([key, one]) =>
      typeof one === 'object' && one !== null ? leaves(one, [...path, key]) : [[...path, key]],
    )

  /** Read by what the panel deals with: a word of one of its lists, or a key of an operation. */
  const byWord = new Set([
    ...['time', 'units', 'deeds', 'features', 'limitNames', 'sshAccess', 'egress', 'limitUnits', 'levels', 'reasons'],
    ...['actions', 'brakes', 'states', 'outcomes', 'shown', 'words', 'services', 'roles', 'scopes', 'closedWith'],
    ...['statuses', 'titles', 'fields', 'verbs', 'buttons'],
  ])

  it('has no words that nobody says', () => {
    const own = leaves(shared).filter((path) => path.length > 1 && !byWord.has(path.at(-2) ?? ''))
    expect(
      own.filter(([...path]) => !isSaid(path.at(-2) ?? '', path.at(-1) ?? '')).map((path) => path.join('.')),
    ).toEqual([])
  })

  it.each(kinds.map((kind) => [kind.name, kind.words] as const))('has none of the kind %s', (name, words) => {
    const everyKind = ['one', 'many', 'named', 'lede', 'add', 'none', 'noneText', 'ledes', 'done', 'fields']
    const own = Object.keys(words).filter((key) => !everyKind.includes(key))
    expect(
      own.filter((key) => !isSaid('(?:words|w|own)', key) && !new RegExp(`\\b${key}\\b`).test(codeOf(name))),
    ).toEqual([])
  })

  it('names keys of operations alone as fields', () => {
    const keys = new Set(
      operations.flatMap(({ input, output }) => [...keysOf(input, 'input'), ...keysOf(output, 'output')]),
    )
    const others = Object.keys(shared.fields).filter(
      (key) => !keys.has(key) && !isSaid('fields', key) && !isLabelled(key),
    )
    expect(others).toEqual([])
  })

  it('has a word for each verb, and for no other', () => {
    const verbs = new Set([...operations.map(verbOf), ...jobTypes.map((name) => verbOf({ name }))])
    const said = Object.keys({ ...shared.verbs, ...shared.buttons })
    expect(said.filter((verb) => !verbs.has(verb))).toEqual([])
  })
})

/** Named with its group, by a short name of the group, or taken out of it. */
function isSaid(group: string, key: string): boolean {
  const ways = [
    `\\b${group}\\??\\.${key}\\b`,
    `\\{[^{}]*\\b${key}\\b[^{}]*\\} = (?:\\w+\\.)*${group}\\b`,
    `\\{[^{}]*\\b${key}\\b[^{}]*\\}: (?:typeof words|Words|\\(typeof words\\))`,
  ]
  const isShort = new RegExp(`\\b(?:w|words) = (?:\\w+\\.)*${group}\\b`).test(everything)
  return [...ways, ...(isShort ? [`\\b(?:w|words)\\.${key}\\b`] : [])].some((way) => new RegExp(way).test(everything))
}

/** Of a kind, without its words. */
function codeOf(kind: string): string {
  return ofPages
    .filter(({ path }) => path.startsWith(`resources/${kind}/`))
    .map(({ text }) => text)
    .join('\n')
}

function isLabelled(key: string): boolean {
  return new RegExp(`label\\(t, '${key}'\\)`).test(everything)
}

function keysOf(schema: z.ZodType, io: 'input' | 'output'): string[] {
  const text = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }))
  return [...text.matchAll(/"([a-zA-Z]+)":\{/g)].map(([, key = '']) => key)
}
