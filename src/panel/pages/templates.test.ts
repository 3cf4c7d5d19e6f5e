/** What must hold for every template, so that no page can run or load anything, or show unescaped text. */
import { describe, expect, it } from 'vitest'
import { assetNames, assetText } from '../../program/assets.ts'
import { english, operations } from '../../resources/index.ts'
import { buttonTitle } from './do-form.ts'
import { renderPartial } from './view.ts'

const templates = ['templates/pages/', 'templates/partials/']
  .flatMap(assetNames)
  .filter((name) => name.endsWith('.eta'))
  .map((name) => ({ name, text: assetText(name) }))

describe.each(templates)('$name', ({ name, text }) => {
  /** As a reader of HTML would see it, each piece of template a neutral mark. */
  const markup = text.replaceAll(/<%[\s\S]*?%>/g, '\u0001')

  it('has no script, no inline style, no event handler', () => {
    expect(markup).not.toMatch(/<script|<\/script|<style|<iframe|<object|<embed|javascript:/i)
    expect(markup).not.toMatch(/\sstyle\s*=|\son[a-z]+\s*=/i)
  })

  it('leaves out escaping only to include another template', () => {
    const raw = [...text.matchAll(/<%~([\s\S]*?)%>/g)].map(([, code = '']) => code.trim())
    const allowed = name === 'templates/partials/layout.eta' ? /^(include\(|it\.body$)/ : /^include\(/
    expect(raw.filter((code) => !allowed.test(code))).toEqual([])
  })

  it('has the quiet line of a cell as a block, which a text browser sets apart', () => {
    expect(markup).not.toMatch(/<span[^>]*class="cell-sub/)
  })

  it('quotes every attribute', () => {
    for (const [, attributes = ''] of markup.matchAll(/<[a-z][a-z0-9-]*((?:"[^"]*"|[^>"])*)>/gi))
      expect(attributes.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/=\s*[^"\s]/)
  })

  it('sends every computed link through url()', () => {
    const links = [...text.matchAll(/\s(?:href|action|src|formaction)="([^"]*)"/g)].map(([, link = '']) => link)
    const isSafe = (link: string) => /^<%= url\((?:[^()]|\([^()]*\))*\) %>$/.test(link) || /^[/#][\w./-]*$/.test(link)
    // A fragment made of an id of the same page.
    const unsafe = links.filter((link) => !isSafe(link) && !/^#<%= [\w.]+ %>$/.test(link))
    expect(unsafe).toEqual([])
  })

  it('names only texts that the catalogue has', () => {
    const named = [...text.matchAll(/\bt((?:\.[a-zA-Z]\w*)+)/g)].map(([, path = '']) => path.slice(1).split('.'))
    expect(named.filter((path) => !isText(path)).map((path) => path.join('.'))).toEqual([])
  })
})

function isText(path: readonly string[]): boolean {
  let at: unknown = english
  for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined
  return at !== undefined
}

describe('without a style sheet', () => {
  /** As a text browser reads it: a block stands on lines of its own, all else runs on. */
  const read = (html: string) =>
    html
      .replaceAll(/<\/?(?:div|p|td|th|tr|table|dl|dt|dd|li|ul|caption|thead|tbody)\b[^>]*>/g, ' ')
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll(/\s+/g, ' ')

  it.each([
    { text: 'shown' },
    { href: '/tenants', text: 'shown' },
    { code: 'shown' },
    { badge: { text: 'shown', tone: 'good' } },
    { href: '/tenants', text: 'shown', label: 'said' },
  ])('the parts of a cell with %o stand apart', (cell) => {
    const rows = [
      [
        { ...cell, sub: 'quiet' },
        { ...cell, sub: 'quiet' },
      ],
    ]
    const table = { caption: 'Things', columns: [{ title: 'One' }, { title: 'Two' }], rows }
    const facts = [{ ...cell, title: 'One', sub: 'quiet' }]

    expect(read(renderPartial(english, 'table', { table })).match(/\b(shown|said|quiet|One|Two)\b/g)?.length).toBe(
      'label' in cell ? 8 : 6,
    )
    expect(read(renderPartial(english, 'facts', { facts }))).toMatch(/\bOne shown (said )?quiet\b/)
  })

  it('a moment is told whole, without pointing at it', () => {
    const cell = { time: new Date(Date.now() - 7200_000).toISOString() }
    const moment = cell.time.slice(0, 16).replace('T', ' ')
    const table = { caption: 'Things', columns: [{ title: 'One' }], rows: [[cell]] }

    expect(read(renderPartial(english, 'table', { table }))).toContain(`2 h ago ${moment} UTC`)
    expect(read(renderPartial(english, 'facts', { facts: [{ ...cell, title: 'One' }] }))).toMatch(
      new RegExp(`One ${moment}:\\d\\d UTC \\(2 h ago\\)`),
    )
  })
})

describe('the button of', () => {
  const changing = operations.filter(({ effect }) => effect !== 'read')

  it.each(changing.map((operation) => [operation.name, operation] as const))('%s says it whole', (_, operation) => {
    expect(buttonTitle(english, operation)).toMatch(/^[A-Z][a-z]/)
    expect(buttonTitle(english, operation)).not.toMatch(/(\b(of|for|in|to|through|with)|:)$/)
  })
})

it('tells bytes in units that say what they count by', () => {
  expect([512, 2048, 3 * 2 ** 30].map((value) => english.format.bytes(value))).toEqual(['512 B', '2.0 KiB', '3.0 GiB'])
})
