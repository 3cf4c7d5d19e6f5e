import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { canonicalRange } from './address-range.ts'
import { ConfigError, configReference, defaultConfigText, loadConfig, settingKey, settingNames } from './config.ts'

const file = '/etc/wcp360/config.yaml'
const load = (text: string, env = {}) => loadConfig(text, env, file)

describe('defaultConfigText', () => {
  it('is a file that changes nothing, and with its comments taken away still says the defaults', () => {
    const bare = defaultConfigText().replace(/^#(?=\w+:)/gm, '')

    expect(load(defaultConfigText())).toEqual(load(''))
    expect(load(bare)).toEqual(load(''))
    expect([...bare.matchAll(/^\w+(?=:)/gm)].map(String)).toEqual(settingNames.map(settingKey))
  })
})

describe('the reference', () => {
  it('in docs/configuration.md is the one that the code makes', () => {
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')

    expect(page).toContain(configReference())
  })
})

describe('loadConfig', () => {
  it('takes the defaults from an empty file', () => {
    expect(load('')).toEqual({
      listen: { host: '::', port: 8360 },
      certificatePort: null,
      baseUrl: `https://${hostname()}:8360`,
      anyHost: true,
      store: { kind: 'sqlite' },
      acmeCaFile: null,
      acmeBinding: null,
      logLevel: 'info',
      httpPort: 80,
      httpsPort: 443,
      connectionsPerAddress: 256,
      connectionsPerSite: 2048,
      siteProxies: [],
      phpIdleSeconds: 300,
      tenantsSharePct: 75,
      jobsAtOnce: 4,
      sessionIdleMinutes: 30,
      smtp: null,
      dnsServers: [],
      mailFrom: 'auto',
      adminIdleMinutes: 15,
      sessionHours: 12,
      loginAttempts: 5,
      deletesPerHour: 200,
      webhookTargets: 'public',
      requestsPerMinute: 1200,
      readsPerMinute: 60,
      writesPerMinute: 20,
      jobsPerMinute: 30,
      restoresPerHour: 200,
      createsPerHour: 200,
      suspensionsPerHour: 100,
      changesPerHour: 3000,
      runsPerHour: 6000,
      auditRemote: null,
    })
  })

  it('reads the file, and the environment above it', () => {
    const text = 'listen: 127.0.0.1:18360\nlog_level: warn\nphp_idle_seconds: 60\n'

    const config = load(text, {
      WCP360_PHP_IDLE_SECONDS: '90',
      PATH: '/bin',
      WCP360_BASE_URL: 'https://Panel.Example.com:18360/',
    })

    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 18360 },
      logLevel: 'warn',
      phpIdleSeconds: 90,
      baseUrl: 'https://panel.example.com:18360',
      anyHost: false,
    })
  })

  it('knows both stores', () => {
    expect(load('store: postgres://wcp:secret@db.example.com/wcp').store).toEqual({
      kind: 'postgres',
      url: 'postgres://wcp:secret@db.example.com/wcp',
    })
  })

  it('takes name servers as addresses, with ports or without', () => {
    const addresses = ['9.9.9.9', '127.0.0.1:5353', '::1', '[2620:fe::fe]', '[2620:fe::fe]:53']

    expect(load(`dns_servers: "${addresses.join(', ')}"`).dnsServers).toEqual(addresses)
    expect(load('dns_servers: system').dnsServers).toEqual([])
    for (const wrong of ['dns.example.com', '9.9.9', '9.9.9.9:0', '9.9.9.9:70000', '[9.9.9.9]:53', '9.9.9.9,,::1', ''])
      expect(() => load(`dns_servers: "${wrong}"`), wrong).toThrow(/dns_servers is .*: expected system, or addresses/)
  })

  it('takes names and ranges of proxies, each range once, and nobody who is everybody', () => {
    expect(load('site_proxies: none').siteProxies).toEqual([])
    expect(load('site_proxies: "192.0.2.0/24, 2001:DB8::1,192.0.2.0/24"').siteProxies).toEqual([
      '192.0.2.0/24',
      '2001:db8::1',
    ])
    const named = load('site_proxies: "cloudflare, 192.0.2.7"').siteProxies
    expect([
      named.includes('104.16.0.0/13'),
      named.at(-1),
      named.every((range) => 'range' in canonicalRange(range)),
    ]).toEqual([true, '192.0.2.7', true])
    for (const wrong of [
      '',
      'cloudflair',
      '0.0.0.0/0',
      '::/0',
      '10.0.0.5/8',
      '10.0.0.0/8;',
      'constructor',
      '192.0.2.1 192.0.2.2',
    ])
      expect(() => load(`site_proxies: "${wrong}"`), wrong).toThrow(/site_proxies is .*: expected none, or names/)
  })

  it.each([
    [
      'unknown key',
      'listen: "[::]:8360"\nprot: 3\n',
      {},
      /^\/etc\/wcp360\/config\.yaml:2: unknown key "prot": expected one of listen, /,
    ],
    [
      'wrong enum',
      '\n\nlog_level: loud\n',
      {},
      /config\.yaml:3: log_level is "loud": expected one of debug, info, warn, error$/,
    ],
    ['wrong type', 'http_port: "80"\n', {}, /:1: http_port is "80": expected a port from 1 to 65535$/],
    ['number out of range', 'http_port: 70000\n', {}, /:1: http_port is 70000: expected a port/],
    ['fraction', 'jobs_at_once: 1.5\n', {}, /:1: jobs_at_once is 1\.5: expected a number from 1 to 32$/],
    ['empty value', 'log_level:\n', {}, /:1: log_level is null: expected one of/],
    ['list in place of an address', 'listen: [a, b]\n', {}, /:1: listen is \[.*: expected an address and a port/],
    ['address without port', 'listen: "[::]"\n', {}, /:1: listen is "\[::\]": expected/],
    ['address that is none', 'listen: "999.1.1.1:80"\n', {}, /:1: listen is "999\.1\.1\.1:80": expected/],
    ['plain http', 'base_url: http://a.example\n', {}, /:1: base_url is "http:\/\/a\.example": expected auto, or/],
    ['path in the address', 'base_url: https://a.example/x\n', {}, /:1: base_url is/],
    ['foreign store', 'store: mysql://a/b\n', {}, /:1: store is "mysql:\/\/a\/b": expected sqlite/],
    ['key given twice', 'http_port: 80\nhttp_port: 81\n', {}, /config\.yaml:2: .*unique/],
    ['no YAML', 'listen: "x\n', {}, /config\.yaml:\d: /],
    ['alias', 'log_level: &a info\nstore: *b\n', {}, /config\.yaml:2: /],
    ['no mapping', '- a\n', {}, /:1: expected lines "key: value"$/],
    [
      'unknown variable',
      '',
      { WCP360_PROT: '1' },
      /^environment WCP360_PROT: unknown variable "prot": expected one of/,
    ],
    [
      'wrong variable',
      '',
      { WCP360_HTTP_PORT: 'x' },
      /^environment WCP360_HTTP_PORT: http_port is "x": expected a port/,
    ],
  ])('refuses with one line: %s', (_case, text, env, message) => {
    const attempt = () => load(text, env)

    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(message)
    expect(attempt).not.toThrow(/\n/)
  })

  it('keeps a password out of its message', () => {
    expect(() => load('store: mysql://root:hunter2@db/x')).toThrow(/store is "mysql:\/\/…@db\/x"/)
  })
})
