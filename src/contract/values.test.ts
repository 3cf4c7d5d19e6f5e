import { describe, expect, it } from 'vitest'
import { Fqdn, Id, Line, TenantLimits, TenantName } from './values.ts'

const hostile = [
  '',
  '-rf',
  '../x',
  'a/b',
  'a b',
  'a\nb',
  'a\0b',
  '$(id)',
  '`id`',
  ';id',
  'ünï',
  'A',
  '0day',
  '1234',
  'a$',
  'root ',
  '{a}',
  '"a"',
]

describe('TenantName', () => {
  it.each(['abc', 'a00', 'shop2024', 'a'.repeat(24)])('accepts %s', (name) => {
    expect(TenantName.safeParse(name).success).toBe(true)
  })

  it.each([...hostile, 'ab', 'a'.repeat(25), 'a.b', 'a-b', 'a_b'])('refuses %j', (name) => {
    expect(TenantName.safeParse(name).success).toBe(false)
  })
})

describe('Fqdn', () => {
  it.each(['example.com', 'a.b.c.example.co.uk', 'xn--bcher-kva.example', '1.example', `${'a'.repeat(63)}.example`])(
    'accepts %s',
    (name) => {
      expect(Fqdn.safeParse(name).success).toBe(true)
    },
  )

  it.each([
    ...hostile,
    'com',
    'localhost',
    'Example.com',
    'example.com.',
    '.example.com',
    'a..b',
    '-a.com',
    'a-.com',
    'a_b.com',
    '*.example.com',
    '127.0.0.1',
    '1.2',
    '0x7f.1',
    '[::1]',
    'example。com',
    'a.com; } server {',
    'a.com#',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(126)}com`,
  ])('refuses %j', (name) => {
    expect(Fqdn.safeParse(name).success).toBe(false)
  })
})

describe('Id', () => {
  it('is a UUID of version 4 and nothing else', () => {
    expect(Id.safeParse(crypto.randomUUID()).success).toBe(true)
    expect(Id.safeParse('3f0c1d9e-8a52-1d5b-9f5e-0d1a2b3c4d5e').success).toBe(false)
    expect(Id.safeParse('3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e\n').success).toBe(false)
  })
})

describe('Line', () => {
  it.each(['', 'für Köche, 2 €', '日本語', '👩‍🍳', '$(id) "<b>\''])('takes %j', (text) => {
    expect(Line.safeParse(text).success).toBe(true)
  })

  it.each(['a\0b', 'a\nb', 'a\rb', '\u001b[2J', 'a\u009bb', 'a\u2028b', 'a\u202eb', 'a\ud800b'])(
    'refuses %j',
    (text) => {
      expect(Line.safeParse(text).success).toBe(false)
    },
  )
})

describe('TenantLimits', () => {
  it('takes whole numbers in range or null, and no other key', () => {
    const limits = { cpuPct: 100, memMb: null, pids: 64, ioMbps: null, diskMb: 1000 }
    expect(TenantLimits.safeParse(limits).success).toBe(true)
    expect(TenantLimits.safeParse({ ...limits, cpuPct: '100' }).success).toBe(false)
    expect(TenantLimits.safeParse({ ...limits, cpuPct: 0 }).success).toBe(false)
    expect(TenantLimits.safeParse({ ...limits, uid: 0 }).success).toBe(false)
  })
})
