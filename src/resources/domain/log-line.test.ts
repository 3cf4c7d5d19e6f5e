import { describe, expect, it } from 'vitest'
import { filterOf } from './log-filter.ts'
import { type LogEntry, readLine, shownText } from './log-line.ts'

const request = (over: Record<string, unknown> = {}) =>
  JSON.stringify({
    tenant: 'acme',
    time: '2026-11-28T20:27:22+01:00',
    host: 'shop.example.com',
    remote: '192.0.2.1',
    method: 'GET',
    uri: '/a?b',
    status: 404,
    sent: 512,
    seconds: 0.003,
    referer: '',
    agent: 'curl/8',
    ...over,
  })

describe('a line of the log', () => {
  it('is a request, in UTC', () => {
    expect(readLine('access', request())).toMatchObject({
      time: '2026-11-28T19:27:22.000Z',
      host: 'shop.example.com',
      status: 404,
      level: null,
      uri: '/a?b',
      sent: 512,
    })
  })

  it('is an error, with what the visitor asked for', () => {
    const said =
      'acme 2026/11/28 20:27:22 [error] 12#12: *3 open() "/srv/x" failed (2: No such file or directory), client: 192.0.2.1, ' +
      'server: _, request: "GET /x?y HTTP/1.1", host: "Shop.example.com:8080"'

    expect(readLine('error', said)).toMatchObject({
      time: new Date(2026, 10, 28, 20, 27, 22).toISOString(),
      level: 'error',
      host: 'shop.example.com',
      remote: '192.0.2.1',
      method: 'GET',
      uri: '/x?y',
      text: 'open() "/srv/x" failed (2: No such file or directory)',
    })
  })

  it('tells what was dropped', () => {
    const time = '2026-11-28T20:27:22.123Z'
    expect(readLine('access', JSON.stringify({ tenant: 'acme', time, dropped: 7 }))).toEqual({ time, dropped: 7 })
    const said = `acme ${time} [warn] wcp360: 8 lines of acme were dropped: its ration is used up`
    expect(readLine('error', said)).toEqual({ time, dropped: 8 })
  })

  it('is left out when it says nothing that is known', () => {
    for (const text of ['', '{', '{"tenant":"acme"}', request({ time: 'x' }), request({ status: '1' })])
      expect(readLine('access', text)).toBeUndefined()
    for (const text of ['', 'acme x', 'acme 2026/99/99 99:99:99 [error] x'])
      expect(readLine('error', text)).toBeUndefined()
  })

  it('shows what strangers wrote and lets nothing of it act', () => {
    const evil = '\u001b[2J\u202etxt\u2066\u0000\u009b\u200e\ufeff\ud800'
    const entry = readLine('access', request({ uri: `/${evil}`, agent: evil, referer: evil })) as LogEntry

    for (const text of [entry.uri, entry.agent, entry.referer, shownText(evil)])
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    expect(entry.agent).toContain('\\u{1b}[2J\\u{202e}txt')
  })
})

describe('the filter', () => {
  const entry = readLine('access', request()) as LogEntry
  it.each([
    [{ status: '404' }, { status: '403' }],
    [{ status: '4xx' }, { status: '5xx' }],
    [{ path: '/a' }, { path: 'a' }],
    [{ address: '192.0.2.0/24' }, { address: '192.0.2.2' }],
    [{ search: 'CURL' }, { search: 'wget' }],
    [{ until: '2026-11-28T19:27:23.000Z' }, { until: '2026-11-28T19:27:22.000Z' }],
  ])('%j fits, %j does not', (fits, fitsNot) => {
    expect(filterOf(fits)(entry)).toBe(true)
    expect(filterOf(fitsNot)(entry)).toBe(false)
  })
})
