/** Host names for people: Unicode with the A-labels beside it, or the other way round where Unicode could deceive. */
import { domainToUnicode } from 'node:url'

/**
 * Isolated, since Unicode may be read from right to left (Unicode TR9, 2.4). The A-labels come first where a label mixes scripts,
 * or is of letters alone that look like Latin ones: what stands first is what people read.
 */
export function shownHost(name: string): string {
  const unicode = name.includes('xn--') ? domainToUnicode(name) : ''
  if (unicode === '' || unicode === name) return name
  const isolated = `\u2068${unicode}\u2069`
  return isDeceiving(unicode) ? `${name} (${isolated})` : `${isolated} (${name})`
}

/** The names among other words; paths and addresses stay as programs need them. */
export function withShownHosts(text: string): string {
  return text.replaceAll(/(?<![\w./:@-])(?:[a-z0-9-]+\.)*xn--[a-z0-9-]+(?:\.[a-z0-9-]+)*(?![\w/@-]|[.:]\w)/g, shownHost)
}

function isDeceiving(unicode: string): boolean {
  const labels = unicode.split('.')
  const last = scriptsOf(labels.at(-1) ?? '')
  return labels.some((label) => {
    const scripts = scriptsOf(label)
    if (!writtenTogether.some((those) => [...scripts].every((script) => those.includes(script)))) return true
    // the same letters below a domain of their own script deceive nobody who reads it
    return lookAlike.some(({ script, letters }) => !last.has(script) && letters.test(label))
  })
}

/** Scripts of one way of writing (Unicode TR39, 5.2, highly restrictive). */
const writtenTogether: readonly (readonly string[])[] = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Hangul'],
  ['Latin', 'Han', 'Bopomofo'],
  ...['Arabic', 'Armenian', 'Bengali', 'Cyrillic', 'Devanagari', 'Ethiopic', 'Georgian', 'Greek', 'Gujarati'].map(one),
  ...['Gurmukhi', 'Hebrew', 'Kannada', 'Khmer', 'Lao', 'Malayalam', 'Myanmar', 'Sinhala', 'Tamil'].map(one),
  ...['Telugu', 'Thaana', 'Thai', 'Tibetan'].map(one),
]

const known = [...new Set(writtenTogether.flat())].map((script) => ({
  script,
  letter: new RegExp(`\\p{Script=${script}}`, 'u'),
}))

/** Whole labels of these read as Latin. */
const lookAlike = [
  { script: 'Cyrillic', letters: /^[асԁеһіјӏорԛѕԝхуъьҽпгѵѡ0-9-]+$/u },
  { script: 'Greek', letters: /^[αικνρυωηοτ0-9-]+$/u },
  { script: 'Armenian', letters: /^[ագզէլհյոսւօ0-9-]+$/u },
]

/** `unknown` for a letter of none of them. */
function scriptsOf(label: string): ReadonlySet<string> {
  const letters = [...label].filter((letter) => /[\p{L}\p{M}]/u.test(letter) && !/\p{Script=Inherited}/u.test(letter))
  return new Set(letters.map((each) => known.find(({ letter }) => letter.test(each))?.script ?? common(each)))
}

/** Such as the long vowel of Japanese, which several scripts have. */
function common(letter: string): string {
  return /\p{Script=Common}/u.test(letter) ? 'Latin' : 'unknown'
}

function one(script: string): readonly string[] {
  return [script]
}
