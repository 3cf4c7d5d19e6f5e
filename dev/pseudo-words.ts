/** Catalogues of no language, which show what a translation would do to the pages. Nobody is offered them. */
import { formatsOf } from '../src/lib/formats.ts'
import type { Texts } from '../src/lib/texts.ts'

/** `longer`: about 40 % more, accented, in brackets that show what is cut off; `rtl`: read from right to left. */
export const ways = ['longer', 'rtl'] as const
export type Way = (typeof ways)[number]

const accented: Readonly<Record<string, string>> = {
  ...{ a: 'á', c: 'ç', e: 'ë', i: 'î', n: 'ñ', o: 'ö', s: 'š', u: 'ü', y: 'ý', z: 'ž' },
  ...{ A: 'Å', C: 'Ç', E: 'É', I: 'Ï', N: 'Ñ', O: 'Ø', S: 'Š', U: 'Û', Y: 'Ý', Z: 'Ž' },
}

/** Single words of German are about that much longer than English ones; sentences are less. */
const more = 0.4

function longer(text: string): string {
  const padding = 'ëxträ '.repeat(Math.ceil(text.length / 6)).slice(0, Math.ceil(text.length * more))
  return `[${[...text].map((letter) => accented[letter] ?? letter).join('')}${padding === '' ? '' : `·${padding.trim()}`}]`
}

/** By the marks that turn letters round (Unicode TR9, 2.2): the words stay readable to who looks after the pages. */
function turned(text: string): string {
  return text === '' ? text : `\u202e${text}\u202c`
}

export function pseudoWords(texts: Texts, way: Way): Texts {
  const say = way === 'longer' ? longer : turned
  const { format: _, ...words } = texts
  const said = deep(words, say) as Omit<Texts, 'format'>
  const own = {
    lang: way === 'longer' ? 'en-XA' : 'en-XB',
    dir: way === 'longer' ? 'ltr' : 'rtl',
    product: texts.product,
  }
  return { ...said, ...own, format: formatsOf({ locale: null, timeZone: null }, said.time) }
}

function deep(value: unknown, say: (text: string) => string): unknown {
  if (typeof value === 'string') return say(value)
  if (typeof value === 'function') return (...given: unknown[]) => deep(value(...given), say)
  if (Array.isArray(value)) return value.map((one) => deep(one, say))
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, deep(one, say)]))
}
