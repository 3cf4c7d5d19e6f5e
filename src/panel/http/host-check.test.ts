import { describe, expect, it } from 'vitest'
import { hostPolicy } from './host-check.ts'

const configured = hostPolicy('https://panel.example.com:8360', () => ['192.0.2.7', '2001:db8::7'])

describe('hostPolicy', () => {
  it.each([
    'panel.example.com:8360',
    'panel.example.com',
    'PANEL.example.com',
    'localhost:8360',
    '192.0.2.7:8360',
    '[2001:db8::7]:8360',
    '[2001:0db8:0::0007]:8360',
  ])('accepts %s', (host) => {
    expect(configured.accepts(host)).toBe(true)
  })

  it.each([
    'evil.example',
    'panel.example.com.evil.example',
    'panel.example.com.',
    'panel.example.com:99999',
    'panel.example.com:',
    'panel.example.com@evil.example',
    'evil.example#panel.example.com',
    '198.51.100.1',
    '[2001:db8::8]',
    '[::1',
    '',
    ' panel.example.com',
    '/panel.example.com',
  ])('refuses %j', (host) => {
    expect(configured.accepts(host)).toBe(false)
  })

  it('accepts any well-formed host while no address is configured', () => {
    const open = hostPolicy(null)

    expect(['anything.example', '203.0.113.9:8360', '[::1]:8360'].map(open.accepts)).toEqual([true, true, true])
    expect(['a b', 'a/b', '-', 'a..b'].map(open.accepts)).toEqual([false, false, false, false])
  })
})
