import { describe, expect, it } from 'vitest'
import { serverAddress } from './server-address.ts'

describe('the address of a server', () => {
  it.each([
    ['https://panel.example.com:8360', 'https://panel.example.com:8360', 'panel.example.com', 8360],
    ['https://panel.example.com:8360/', 'https://panel.example.com:8360', 'panel.example.com', 8360],
    ['https://Panel.Example.com', 'https://panel.example.com', 'panel.example.com', 443],
    ['panel.example.com', 'https://panel.example.com:8360', 'panel.example.com', 8360],
    ['panel.example.com:9000', 'https://panel.example.com:9000', 'panel.example.com', 9000],
    ['[2001:db8::1]:8360', 'https://[2001:db8::1]:8360', '2001:db8::1', 8360],
    ['192.0.2.1', 'https://192.0.2.1:8360', '192.0.2.1', 8360],
  ])('%s', (text, origin, hostname, port) => {
    expect(serverAddress(text)).toEqual({ origin, hostname, port })
  })

  it.each([
    '',
    'http://panel.example.com:8360',
    'ftp://panel.example.com',
    'https://ann@panel.example.com',
    'https://panel.example.com/api',
    'https://panel.example.com?x=1',
    'https://panel.example.com#x',
    'panel.example.com:99999',
    'two words',
  ])('is not %j', (text) => {
    expect(() => serverAddress(text)).toThrow(`Cannot use "${text}" as a server`)
  })
})
