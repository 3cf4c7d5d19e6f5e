import { describe, expect, it } from 'vitest'
import type { TenantName } from '../../contract/values.ts'
import { sandboxed, setprivArgv } from './direct-services-sandbox.ts'
import { layout } from './layout.ts'

const acme = { name: 'acme' as TenantName, uid: 20_001, gid: 20_001 }

describe('the sandbox without systemd', () => {
  it('shows the system, the own tree and nothing else', () => {
    const { argv, data } = sandboxed(layout('/'), acme, { exists: () => true })
    const text = argv.join(' ')

    expect(text).toContain('--bind /srv/www/acme/tmp /tmp --bind /srv/www/acme/tmp /var/tmp')
    expect(text).toContain('--bind /srv/www/acme /srv/www/acme')
    expect(text).toContain('--ro-bind /var/lib/wcp360-web/tenants/acme/sites /var/lib/wcp360-web/hosts')
    expect(text).toContain('--unshare-pid --unshare-ipc --unshare-uts')
    expect(text).toContain('--perms 0000 --tmpfs /run/wcp360')
    expect(
      argv.filter((word) => word.startsWith('/srv')).every((word) => /^\/srv(\/www(\/acme.*)?)?$/.test(word)),
    ).toBe(true)
    expect(argv.at(-1)).toBe('--')
    expect(data).toHaveLength(2)
  })

  it('shows a tree that lies below /tmp, and never makes a directory in what a tenant may write to', () => {
    const text = sandboxed(layout('/tmp/try'), acme).argv.join(' ')
    const [over, own] = ['--perms 1777 --tmpfs /tmp', '--bind /tmp/try/srv/www/acme /tmp/try/srv/www/acme']

    expect(text).not.toMatch(/ \/tmp\/try\/srv\/www\/acme\/tmp \/tmp( |$)/)
    expect(text.indexOf(`${over} `)).toBeGreaterThan(0)
    expect(text.indexOf(over)).toBeLessThan(text.indexOf('--dir /tmp '))
    expect(text.indexOf('--dir /tmp ')).toBeLessThan(text.indexOf(own))
    expect(text).toContain('--bind /tmp/try/srv/www/acme/tmp /var/tmp')
  })

  it('leads /var/run to /run, where programs of the system put their sockets', () => {
    expect(sandboxed(layout('/'), acme).argv.join(' ')).toContain('--symlink /run /var/run')
  })

  it('does not hide what is not there: bubblewrap could not make the place', () => {
    expect(sandboxed(layout('/'), acme, { exists: () => false }).argv.join(' ')).not.toContain('0000')
  })

  it('gives up every right before PHP begins', () => {
    expect(setprivArgv(acme)).toEqual([
      '--reuid=20001',
      '--regid=20001',
      '--clear-groups',
      '--no-new-privs',
      '--bounding-set=-all',
      '--inh-caps=-all',
      '--ambient-caps=-all',
      '--',
    ])
  })
})
