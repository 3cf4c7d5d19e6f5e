/** A reader of nginx's configuration of our own (ngx_conf_read_token), so that what was rendered is read by another than who wrote it. */

/** The words of each directive or row, in their order. @throws at a block, a comment, or what nginx would refuse */
export function nginxWords(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  while (at < text.length) {
    const char = text[at] ?? ''
    if (/[ \t\r\n]/.test(char)) at++
    else if (char === ';') {
      if (row.length === 0) throw new Error('nothing before ";"')
      rows.push(row)
      row = []
      at++
    } else if (/[{}#]/.test(char)) throw new Error(`"${char}" outside of a word`)
    else {
      const [word, end] = char === '"' || char === "'" ? quoted(text, at) : bare(text, at)
      row.push(word)
      at = end
    }
  }
  if (row.length > 0) throw new Error('the last row has no end')
  return rows
}

function quoted(text: string, start: number): [word: string, end: number] {
  const quote = text[start]
  let word = ''
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === quote) {
      if (!/[\s;{)]/.test(text[at + 1] ?? ' ')) throw new Error('a word goes on behind its quote')
      return [word, at + 1]
    }
    if (char !== '\\') word += char
    else word += unescaped(text[++at] ?? '')
  }
  throw new Error('a quote is open')
}

function bare(text: string, start: number): [word: string, end: number] {
  let word = ''
  let at = start
  for (; at < text.length && !/[\s;{]/.test(text[at] ?? ''); at++) {
    const char = text[at] ?? ''
    word += char === '\\' ? unescaped(text[++at] ?? '') : char
  }
  return [word, at]
}

function unescaped(char: string): string {
  const known: Readonly<Record<string, string>> = { '"': '"', "'": "'", '\\': '\\', t: '\t', r: '\r', n: '\n' }
  return known[char] ?? `\\${char}`
}
