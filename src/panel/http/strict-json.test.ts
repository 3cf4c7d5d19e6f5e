import { describe, expect, it } from 'vitest'
import { parseStrictJson } from './strict-json.ts'

const parse = (text: string) => parseStrictJson(text, 4)

describe('parseStrictJson', () => {
  it.each([
    '{}',
    '[]',
    '"a"',
    'null',
    ' {"a": [1, {"b": "x\\"y{[,"}], "c": {"a": 1}} ',
    '{"a":"\\\\","b":"a"}',
    '{"a":{"b":1},"c":{"b":1}}',
    '{"a":["b","b"],"b":"__proto__"}',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['{"a":1,"a":2}', 'there twice'],
    ['{"a":{"b":1,"c":2,"b":3}}', 'there twice'],
    ['{"a":1,"\\u0061":2}', 'there twice'],
    ['{"a":[],"b":{},"a":1}', 'there twice'],
    ['{"__proto__":{"admin":true}}', 'not allowed'],
    ['{"a":{"\\u005f_proto__":1}}', 'not allowed'],
    ['{"constructor":{"prototype":{}}}', 'not allowed'],
    ['[[[[[1]]]]]', 'nested deeper'],
    [`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'nested deeper'],
    ['{"a":1', 'not JSON'],
    ['', 'not JSON'],
  ])('refuses %.60s', (text, why) => {
    expect(() => parse(text)).toThrow(why)
  })
})
