/** A reader of PHP-FPM's configuration of our own, so that what was rendered is looked at by somebody else than who wrote it. */

export interface ConfigText {
  readonly sections: readonly string[]
  /** Keys of all lines in their order. */
  readonly keys: readonly string[]
}

/** @throws at a line that is neither empty, a comment, a section nor `key = value`. */
export function parseConfigText(text: string): ConfigText {
  const sections: string[] = []
  const keys: string[] = []
  for (const line of text.split(/\r\n|[\n\r\u2028\u2029]/)) {
    if (line === '' || line.startsWith(';')) continue
    const section = /^\[([^\][]+)\]$/.exec(line)?.[1]
    const key = /^([A-Za-z_.]+(?:\[[A-Za-z_.]+\])?) = (\S.*)$/.exec(line)?.[1]
    if (section !== undefined) sections.push(section)
    else if (key !== undefined) keys.push(key)
    else throw new Error(`a line that is none: ${JSON.stringify(line)}`)
  }
  return { sections, keys }
}
