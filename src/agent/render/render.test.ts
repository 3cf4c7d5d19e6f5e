import { describe, expect, it } from 'vitest'
import type { TenantName } from '../../contract/values.ts'
import { opcacheMb } from '../os/fpm-command.ts'
import { layout } from '../os/layout.ts'
import { parseNginxVersion } from '../os/nginx.ts'
import { maxChildren, memoryLimitMb, renderFpmConfig } from './fpm.ts'
import { renderNginxSite } from './nginx.ts'
import { renderSystem } from './render.ts'

const places = layout('/')
const acme = 'acme' as TenantName
const limits = { cpuPct: 100, memMb: 512, pids: 64, ioMbps: null, diskMb: null }
const noLimits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

function site(nginxVersion: readonly [number, number, number], https = ['443', '[::]:443']): string {
  return renderNginxSite(places, {
    http: ['80', '[::]:80'],
    https,
    nginxVersion,
    perAddress: 256,
    perSite: 2048,
    proxies: [],
  })
}

describe('the configuration of nginx', () => {
  it('names HTTP/2 as the version of nginx wants it', () => {
    expect(site([1, 22, 1])).toContain('listen [::]:443 ssl http2;')
    expect(site([1, 22, 1])).not.toContain('http2 on;')
    expect(site([1, 26, 3])).toContain('listen [::]:443 ssl default_server backlog=4096;')
    expect(site([1, 26, 3]).match(/^ {2}http2 on;$/gm)).toHaveLength(2)
  })

  it('checks links wherever it opens a file of a tenant, and opens no script', () => {
    const locations = site([1, 26, 3])
      .split(/^ {2}location /m)
      .slice(1)
    const serving = locations.filter((text) => /try_files (\$\{?uri|\/maintenance.html @)/.test(text))
    const running = locations.filter((text) => text.includes('fastcgi_pass'))

    expect([serving.length, running.length]).toEqual([4, 3])
    for (const text of serving) expect(text).toContain('disable_symlinks if_not_owner from=$wcp360_trusted;')
    for (const text of running) expect(text).not.toMatch(/try_files|open_file_cache/)
  })

  it.each([
    [['443', '[::]:443'], 'https://$host$request_uri'],
    [['8443', '[::]:8443'], 'https://$host:8443$request_uri'],
    [['127.0.0.1:444'], 'https://$host:444$request_uri'],
  ])('sends visitors to where HTTPS listens: %j', (https, address) => {
    expect(site([1, 26, 3], https)).toContain(`return 308 ${address};`)
  })

  it('writes errors of what is served and asked, and none of handshakes', () => {
    const [server = '', ...locations] = (site([1, 26, 3]).split(/^server \{$/m)[2] ?? '').split(/^ {2}location /m)
    const levels = (text: string) => [...text.matchAll(/^ +error_log \S+ (\w+);/gm)].map(([, level]) => level)
    const acting = locations.filter((text) => /try_files|proxy_pass/.test(text))

    expect(levels(server)).toEqual(['crit'])
    expect(acting).toHaveLength(11)
    for (const text of acting) expect(levels(text)).toEqual(['error'])
  })

  it('is balanced, complete and says every path of the layout', () => {
    const text = site([1, 26, 3])

    expect(text).not.toMatch(/undefined|\[object|NaN/)
    for (const path of [places.wakeSocket, ...Object.values(places.webLogSockets), places.web.pages, places.fpmRun]) {
      expect(text).toContain(path)
    }
    const code = text.replace(/^\s*#.*$/gm, '').replace(/"[^"]*"|'[^']*'/g, '')
    expect(code.match(/{/g)).toHaveLength(code.match(/}/g)?.length ?? 0)
  })

  it.each([
    ['nginx version: nginx/1.22.1\n', [1, 22, 1]],
    ['nginx version: nginx/1.26.3 (Ubuntu)\n', [1, 26, 3]],
    ['nginx: not found', undefined],
  ])('reads the version from %j', (text, version) => {
    expect(parseNginxVersion(text)).toEqual(version)
  })
})

describe('the way to PHP', () => {
  it('is by the host, and by the tenant for a name that no socket can bear', () => {
    const limit = Number(/"~\^\.\{(\d+)\}" /.exec(site([1, 26, 3]))?.[1]) - 1

    expect(`${places.web.hosts}/${'h'.repeat(limit)}/php.sock`).toHaveLength(107)
  })
})

describe('the configuration of PHP-FPM', () => {
  it('of a small tenant', () => {
    const text = renderFpmConfig(places, { name: acme, limits })

    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith(';'))).toEqual([
      '[global]',
      'daemonize = no',
      'error_log = /dev/null',
      'log_level = warning',
      'log_limit = 4096',
      'process_control_timeout = 20s',
      '[tenant-acme]',
      'listen = "/run/wcp360/fpm/acme.sock"',
      'pm = dynamic',
      'pm.max_children = 10',
      'pm.start_servers = 2',
      'pm.min_spare_servers = 1',
      'pm.max_spare_servers = 4',
      'pm.max_requests = 10000',
      'request_terminate_timeout = 300s',
      'catch_workers_output = no',
      'security.limit_extensions = .php',
      'clear_env = yes',
      'env[PATH] = /usr/local/bin:/usr/bin:/bin',
      'env[HOME] = "/srv/www/acme/home"',
      'env[USER] = "acme"',
      'env[TMPDIR] = /tmp',
      'php_value[memory_limit] = 256M',
      'php_value[upload_max_filesize] = 128M',
      'php_value[post_max_size] = 128M',
      'php_value[session.gc_probability] = 1',
      'php_value[session.gc_divisor] = 500',
      'php_admin_flag[expose_php] = off',
      'php_admin_flag[log_errors] = on',
      'php_admin_flag[fastcgi.logging] = off',
      'php_admin_flag[allow_url_include] = off',
      'php_admin_value[session.save_path] = /tmp',
      'php_admin_value[upload_tmp_dir] = /tmp',
      'php_admin_value[sys_temp_dir] = /tmp',
      'php_admin_flag[mail.add_x_header] = on',
      'php_admin_value[mail.log] = "/sending of mail is not set up on this server/yet"',
    ])
  })

  it('never keeps more workers than there may be', () => {
    const text = renderFpmConfig(places, { name: acme, limits: { ...limits, memMb: 64 } })

    expect(text).toContain('pm.max_children = 2\n')
    expect(text).toContain('pm.max_spare_servers = 2\n')
  })

  it.each([
    [noLimits, { children: 20, memory: 256, opcache: 128 }],
    [
      { ...noLimits, memMb: 64 },
      { children: 2, memory: 64, opcache: 16 },
    ],
    [
      { ...noLimits, memMb: 512, pids: 16 },
      { children: 5, memory: 256, opcache: 128 },
    ],
    [
      { ...noLimits, memMb: 65_536 },
      { children: 40, memory: 512, opcache: 128 },
    ],
  ])('has numbers that fit %j', (given, { children, memory, opcache }) => {
    expect([maxChildren(given), memoryLimitMb(given), opcacheMb(given)]).toEqual([children, memory, opcache])
  })
})

describe('values of a template', () => {
  it.each(['a b', 'x;', 'x\ny', '$host', '{', '}', "'", '"', '#', '\\', '\0', '=', ']\n[www'])(
    'may not be %j',
    (text) => {
      expect(() => renderSystem('php-fpm/tenant.conf.eta', { tenant: text })).toThrow(/may not be/)
    },
  )
})
