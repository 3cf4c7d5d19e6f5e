import { describe, expect, it } from 'vitest'
import { hostOf, lineOf, ownedLine } from './message.ts'

const header = '<187>Nov 28 20:27:22 wcp360: '
const sent = (text: string) => Buffer.from(header + text)

describe('a datagram of nginx', () => {
  it('is a request of a site', () => {
    const line =
      '{"time":"2026-11-28T20:27:22+00:00","host":"shop.example.com","referer":"\\",\\"host\\":\\"b.example"}'

    expect(lineOf(sent(line))).toBe(line)
    expect(hostOf(sent(line))).toBe('shop.example.com')
  })

  it('is an error of the site that its end names', () => {
    const line =
      '2026/11/28 20:27:22 [error] 12#12: *3 open() "/x" failed (2: No such file), client: 192.0.2.1, ' +
      'server: ~^x$, request: "GET /x HTTP/1.1", host: "Shop.example.com:8080"'

    expect(lineOf(sent(line))).toBe(line)
    expect(hostOf(sent(line))).toBe('shop.example.com')
  })

  it.each([
    [
      'address',
      'open() "/x, host: "b.example"" failed, client: 192.0.2.1, request: "GET /x HTTP/1.1", host: "a.example"',
    ],
    ['referrer', 'open() "/x" failed, client: 192.0.2.1, host: "a.example", referrer: "x, host: "b.example"'],
  ])('is of nobody where the %s names another host as well', (_, text) => {
    expect(hostOf(sent(text))).toBeUndefined()
  })

  it('has its tenant first, where no visitor writes', () => {
    expect(ownedLine.access('acme', '{"time":"x"}')).toBe('{"tenant":"acme","time":"x"}')
    expect(ownedLine.error('acme', 'x [error]')).toBe('acme x [error]')
  })

  it('is one line without anything that speaks to a terminal', () => {
    expect(lineOf(sent('a\nforged\u001b[2J\u009b31m\u2028b\u202eevil'))).toBe('a?forged?[2J?31m?b?evil')
  })

  it('names no site when what it names is none', () => {
    expect(hostOf(sent('[error] x, host: "../../etc"'))).toBeUndefined()
    expect(hostOf(sent('[error] x'))).toBeUndefined()
  })
})
