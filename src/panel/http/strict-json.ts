/**
 * JSON with one reading only: a second key of one name, a key that reaches for the prototype, or deep nesting is refused
 * instead of being settled silently (threats C21, C32).
 */
import { WcpError } from '../../contract/errors.ts'

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

export function parseStrictJson(text: string, maxDepth: number): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new WcpError('malformed', 'Cannot read the body: it is not JSON', { cause })
  }
  inspectKeys(text, maxDepth)
  return value
}

/** `text` is known to be JSON, so that strings and brackets are all there is to look at. */
function inspectKeys(text: string, maxDepth: number): void {
  /** One entry per open bracket: the keys seen in an object, null in an array. */
  const open: (Set<string> | null)[] = []
  let expectsKey = false
  for (let at = 0; at < text.length; at++) {
    const keys = open.at(-1)
    switch (text[at]) {
      case '{':
      case '[':
        expectsKey = text[at] === '{'
        open.push(expectsKey ? new Set() : null)
        if (open.length > maxDepth)
          throw new WcpError('malformed', `Cannot read the body: nested deeper than ${maxDepth}`)
        break
      case '}':
      case ']':
        open.pop()
        expectsKey = false
        break
      case ',':
        expectsKey = keys instanceof Set
        break
      case '"': {
        const end = endOfString(text, at)
        if (expectsKey && keys) addKey(keys, text.slice(at, end + 1))
        expectsKey = false
        at = end
      }
    }
  }
}

function addKey(keys: Set<string>, quoted: string): void {
  const key = String(JSON.parse(quoted))
  if (forbiddenKeys.has(key)) throw new WcpError('malformed', `Cannot read the body: the key "${key}" is not allowed`)
  if (keys.has(key))
    throw new WcpError('malformed', `Cannot read the body: the key ${JSON.stringify(key.slice(0, 80))} is there twice`)
  keys.add(key)
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
