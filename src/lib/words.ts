/** Command lines cut into words and put together again, by the quoting of a POSIX shell and nothing else of it. */
import { WcpError } from '../contract/errors.ts'

const bare = /^[A-Za-z0-9_@%+=:,./-]+$/

/** The word as a shell, and `splitWords`, reads it back. */
export function quoteWord(word: string): string {
  return bare.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Splits at white space; `'…'`, `"…"` and `\x` quote. No expansion of any kind. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: '"' | "'" | undefined
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? ''
    if (quote === "'") {
      if (char === "'") quote = undefined
      else word += char
    } else if (char === '\\' && (quote === undefined || /["\\]/.test(line[at + 1] ?? ''))) {
      word = (word ?? '') + (line[++at] ?? '')
    } else if (char === quote) {
      quote = undefined
    } else if (quote === undefined && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + char
    }
  }
  if (quote !== undefined) throw new WcpError('bad_input', `Cannot read the command: a ${quote} is never closed`)
  if (word !== undefined) words.push(word)
  return words
}
