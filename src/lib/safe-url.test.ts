import { describe, expect, it } from 'vitest'
import { path, query, safeUrl } from './safe-url.ts'

describe('safeUrl', () => {
  it.each([
    '/tenants',
    '/do/tenant.create?tenant=blog',
    '#f-name',
    '?cursor=x',
    'https://example.com/a',
    'http://a.b/',
  ])('lets %s through', (url) => {
    expect(safeUrl(url)).toBe(url)
  })

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'java\tscript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '\\\\evil.example',
    'https:evil.example',
    'https:///evil.example',
    'tenants',
    '',
    undefined,
    7,
  ])('makes %j harmless', (url) => {
    expect(safeUrl(url)).toBe('#')
  })
})

describe('path and query', () => {
  it('escape what is put into them', () => {
    expect(path`/tenants/${'../x?y#z'}`).toBe('/tenants/..%2Fx%3Fy%23z')
    expect(query({ a: 'b&c=d', none: null, empty: '', no: false, yes: true })).toBe('?a=b%26c%3Dd&yes=true')
    expect(query({})).toBe('')
  })
})
