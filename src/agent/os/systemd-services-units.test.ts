import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TenantName } from '../../contract/values.ts'
import { groupText, passwdText } from './fpm-command.ts'
import { layout } from './layout.ts'
import { limitProperties, sandboxProperties, startFpmArgv } from './systemd-services-units.ts'

const places = layout('/')
const limits = { cpuPct: 150, memMb: 512, pids: 64, ioMbps: 20, diskMb: 1000 }
const start = { name: 'acme' as TenantName, uid: 20_001, gid: 20_001, php: '8.4', limits }

describe('limits of a slice', () => {
  it('are systemd properties', () => {
    expect(limitProperties(limits, '/srv/www')).toEqual([
      'CPUQuota=150%',
      'MemoryMax=512M',
      'MemorySwapMax=0',
      'TasksMax=64',
      'IOReadBandwidthMax=/srv/www 20M',
      'IOWriteBandwidthMax=/srv/www 20M',
    ])
  })

  it('that are not wanted take earlier ones away', () => {
    const none = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

    expect(limitProperties(none, '/srv/www')).toEqual([
      'CPUQuota=',
      'MemoryMax=infinity',
      'MemorySwapMax=infinity',
      'TasksMax=infinity',
      'IOReadBandwidthMax=',
      'IOWriteBandwidthMax=',
    ])
  })
})

describe('PHP of a tenant', () => {
  it('is one systemd-run with numeric ids, in the slice, behind a socket for the web server', () => {
    const argv = startFpmArgv(places, start, 'www-data', true)

    expect(argv.filter((word) => !word.startsWith('--property='))).toEqual([
      '--quiet',
      '--collect',
      '--unit=wcp-fpm-acme',
      '--slice=wcp-acme.slice',
      '--uid=20001',
      '--gid=20001',
      '--socket-property=ListenStream=/run/wcp360/fpm/.20001.sock',
      '--socket-property=SocketUser=root',
      '--socket-property=SocketGroup=www-data',
      '--socket-property=SocketMode=0760',
      '--socket-property=Backlog=511',
      '--setenv=PATH=/usr/local/bin:/usr/bin:/bin',
      '--setenv=FPM_SOCKETS=/run/wcp360/fpm/acme.sock=3',
      '--',
      '/usr/sbin/php-fpm8.4',
      '--nodaemonize',
      '--force-stderr',
      ...['--fpm-config', '/var/lib/wcp360-web/tenants/acme/php-fpm.conf'],
      ...['-d', 'opcache.memory_consumption=128', '-d', 'opcache.interned_strings_buffer=8'],
      ...['-d', 'error_log=syslog', '-d', 'syslog.ident=php-acme'],
    ])
  })

  it('of a version apart has a unit and a socket of its own, and the slice, sandbox and configuration of the tenant', () => {
    const own = startFpmArgv(places, start, 'www-data', true)
    const apart = startFpmArgv(places, { ...start, php: '8.3', apart: '8.3' }, 'www-data', true)

    expect(apart.filter((word) => !own.includes(word))).toEqual([
      '--unit=wcp-fpm-acme-8.3',
      '--socket-property=ListenStream=/run/wcp360/fpm/.20001-8.3.sock',
      '/usr/sbin/php-fpm8.3',
    ])
    expect(apart).toHaveLength(own.length)
  })

  it('reads what is chosen for its sites where it sees them, once something was', () => {
    const root = mkdtempSync(join(tmpdir(), 'wcp-units-'))
    const own = layout(root)
    const scanDirs = () => startFpmArgv(own, start, 'www-data', true).filter((word) => word.includes('PHP_INI'))
    expect(scanDirs()).toEqual([])

    mkdirSync(own.web.phpOptions(start.name), { recursive: true })
    expect(scanDirs()).toEqual([`--setenv=PHP_INI_SCAN_DIR=:${own.web.hosts}/.php`])
    rmSync(root, { recursive: true })
  })

  it('sees its own tree and nobody else of the customers', () => {
    const properties = sandboxProperties(places, start, true)

    expect(properties).toContain('BindPaths=/srv/www/acme /srv/www/acme/tmp:/tmp /srv/www/acme/tmp:/var/tmp')
    expect(properties.find((text) => text.startsWith('TemporaryFileSystem='))).toContain('/srv/www:ro')
    expect(properties.find((text) => text.startsWith('BindReadOnlyPaths='))).toContain(
      '/var/lib/wcp360-web/tenants/acme/sites:/var/lib/wcp360-web/hosts',
    )
    for (const path of ['/run/wcp360', '/sys/fs/cgroup', '/run/systemd/propagate'])
      expect(properties.find((text) => text.startsWith('InaccessiblePaths='))).toContain(`-${path}`)
    // Everything systemd hides is a bind of nodes below /run/systemd, so hiding that as a whole hides nothing else.
    expect(properties.join(' ')).not.toMatch(/-\/run\/systemd( |$)/)
  })

  it.each([
    ['usual, and rules by uid', 'default', true, /^IPAddressDeny=169\.254\.0\.0\/16 .*fd00:ec2::254/],
    ['usual, and no such rules', 'default', false, /^IPAddressDeny=127\.0\.0\.0\/8 ::1\/128 169\.254\.0\.0\/16 /],
    ['open, and rules by uid', 'open', true, undefined],
    ['open, and no such rules', 'open', false, /^IPAddressDeny=127\.0\.0\.0\/8 ::1\/128$/],
  ] as const)('is kept from addresses by its slice as well: %s', (_, egress, isFiltered, expected) => {
    const properties = sandboxProperties(places, { ...start, limits: { ...limits, egress } }, isFiltered)
    const denied = properties.find((text) => text.startsWith('IPAddressDeny='))

    if (expected === undefined) expect(denied).toBeUndefined()
    else expect(denied).toMatch(expected)
  })

  it('has an account database of two lines each', () => {
    expect(passwdText(places, start)).toBe(
      'root:x:0:0:root:/root:/usr/sbin/nologin\nacme:x:20001:20001::/srv/www/acme/home:/usr/sbin/nologin\n',
    )
    expect(groupText(start)).toBe('root:x:0:\nacme:x:20001:\n')
  })
})
