import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { replayGuard, signedRequest } from './signed-requests.ts'

const demanded = ['@method', '@authority', '@path', '@query']
const signature = `sig=:${'A'.repeat(43)}=:`
const inputOf = (names: readonly string[]) =>
  `sig=(${names.map((name) => `"${name}"`).join(' ')});created=1000;nonce="n";keyid="wcp_a"`

/** What is read of a request with these headers. */
const read = (headers: Record<string, string | string[]>, url = '/api/v1/sites?limit=1&search=?') =>
  signedRequest({ method: 'GET', headers, raw: { url } } as unknown as FastifyRequest)

describe('the headers of a request', () => {
  it('are no signature without both of them, and a mistake with one', () => {
    expect(read({ host: 'panel.example.com' })).toBeUndefined()
    for (const headers of [{ signature }, { 'signature-input': inputOf(demanded) }])
      expect(() => read(headers)).toThrow('Cannot read the signature')
  })

  it('are one signature each', () => {
    const [input] = [inputOf(demanded)]
    expect(() => read({ 'signature-input': [input, input], signature })).toThrow('Cannot read the signature')
    expect(() => read({ 'signature-input': input, signature: [signature, signature] })).toThrow(
      'Cannot read the signature',
    )
  })

  it.each(demanded)('sign %s in any case', (name) => {
    const input = inputOf(demanded.filter((one) => one !== name))
    expect(() => read({ 'signature-input': input, signature })).toThrow('Cannot read the signature')
  })

  it.each<[string, Record<string, string>]>([
    ['of a known length', { 'content-length': '1' }],
    ['of an unknown length', { 'transfer-encoding': 'chunked' }],
  ])('sign the digest of a body %s', (_, headers) => {
    const signed = (names: readonly string[]) => read({ ...headers, 'signature-input': inputOf(names), signature })
    expect(() => signed(demanded)).toThrow('Cannot read the signature')
    expect(signed([...demanded, 'content-digest'])).toBeDefined()
    expect(read({ 'content-length': '0', 'signature-input': inputOf(demanded), signature })).toBeDefined()
  })

  it('sign nothing that is not known', () => {
    const input = inputOf([...demanded, 'cookie'])
    expect(() => read({ 'signature-input': input, signature, cookie: 'a' })).toThrow('Cannot read the signature')
  })

  it('are signed as they came, with all that may be signed', () => {
    const further = {
      'content-digest': 'sha-256=:d:',
      'content-type': 'application/json',
      'idempotency-key': 'k',
      'if-match': '"3"',
    }
    const input = inputOf([...demanded, ...Object.keys(further)])
    const signed = read({ host: 'Panel.Example.com:443', ...further, 'signature-input': input, signature })

    expect(signed?.base.split('\n')).toEqual([
      '"@method": GET',
      '"@authority": panel.example.com',
      '"@path": /api/v1/sites',
      '"@query": ?limit=1&search=?',
      ...Object.entries(further).map(([name, value]) => `"${name}": ${value}`),
      `"@signature-params": ${input.slice('sig='.length)}`,
    ])
    expect(read({ host: 'a.example:8443', 'signature-input': inputOf(demanded), signature }, '/')?.base).toContain(
      '"@authority": a.example:8443\n"@path": /\n"@query": ?\n',
    )
  })
})

const signed = (nonce: string, created: number, expires: number | null = null) => ({
  ...{ nonce, created, expires, keyId: 'wcp_a', components: [], parameters: '', signature: Buffer.alloc(0) },
})

describe('a signed request', () => {
  it('counts once', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000

    guard.demandNew(signed('one', 1000))
    expect(() => guard.demandNew(signed('one', 1000))).toThrow('came before')
    guard.demandNew(signed('two', 1000))
    guard.demandNew({ ...signed('one', 1000), keyId: 'wcp_b' })
    now += 299_000
    expect(() => guard.demandNew(signed('one', 1000))).toThrow('came before')
  })

  it('counts for five minutes, or until it expires', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000

    expect(() => guard.demandNew(signed('old', 700))).toThrow('too old')
    guard.demandNew(signed('fresh', 701))
    expect(() => guard.demandNew(signed('expired', 999, 1000))).toThrow('too old')
    guard.demandNew(signed('short', 999, 1001))
    expect(() => guard.demandNew(signed('future', 1003))).toThrow('from the future')
    guard.demandNew(signed('ahead', 1002))
  })

  it('counts once also at the far edge of its life, signed by a clock that is ahead', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000

    guard.demandNew(signed('edge', 1002))
    now = 1_301_999
    expect(() => guard.demandNew(signed('edge', 1002))).toThrow('came before')
    guard.demandNew(signed('other', 1002)) // the signature itself would still be good
    now = 1_302_000
    expect(() => guard.demandNew(signed('another', 1002))).toThrow('too old')
  })

  it('does not count again after a restart', () => {
    let now = 1_000_000
    const before = replayGuard(() => now - 1_000_000)
    expect(before).toBeDefined()
    const guard = replayGuard(() => now)

    expect(() => guard.demandNew(signed('kept', 999))).toThrow('has just started')
    expect(() => guard.demandNew(signed('ahead', 1002))).toThrow('has just started')
    now += 3000
    guard.demandNew(signed('new', 1003))
  })

  it('is refused rather than forgotten when there are too many', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000
    for (let number = 0; number < 100_000; number++) guard.demandNew(signed(`n${number}`, 1000))

    expect(() => guard.demandNew(signed('more', 1000))).toThrow('too many')
    now += 303_000
    guard.demandNew(signed('more', 1300))
  })
})
