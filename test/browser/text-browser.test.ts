/** The way from an unset server to a created site in a text browser: lynx, its keys pressed by a script. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rootPassword, setupPath } from './agent-peer.ts'
import { admin, startTestPanel, type TestPanel } from './panel.ts'

let panel: TestPanel

beforeAll(async () => {
  panel = await startTestPanel({ stepMs: 60 })
})

afterAll(async () => {
  await panel?.close()
})

const next = ['Down Arrow']
const follow = ['Right Arrow']
const typed = (text: string) => [...text].map((char) => (char === ' ' ? '<space>' : char))
const go = (path: string) => ['g', '^U', ...typed(`${panel.url}${path}`), '^J']
const print = (file: string) => ['p', '^J', '^U', ...typed(file), '^J']

describe('lynx', () => {
  it('sets the server up, creates a site, watches its job, and finds it served', async () => {
    const job = join(panel.directory, 'job.txt')
    const tenant = join(panel.directory, 'tenant.txt')

    await lynx(setupPath, [
      ...[...next, ...typed(rootPassword), ...next, ...follow],
      ...[...next, ...typed(admin.email), ...next, ...typed(admin.password), ...next, ...typed(admin.password)],
      ...[...next, ...follow],
      ...go('/do/tenant.create'),
      // Past the links to content and menu, the name of the product, the search, the menu and the list of customers.
      ...[
        ...next,
        ...next,
        ...next,
        ...next,
        ...next,
        ...next,
        ...typed('blog'),
        // Display name, package, owner, reseller, domain.
        ...next,
        ...next,
        ...next,
        ...next,
        ...next,
        ...typed('blog.example.net'),
      ],
      ...[...next, ...next, ...follow],
      ...print(job),
      ...go('/tenants/blog'),
      ...print(tenant),
    ])

    const jobPage = page(job)
    expect(jobPage).toContain('Create customer: on its way.')
    expect(jobPage).toContain('Create customer blog')
    expect(jobPage).toMatch(/1\. account for tenant\.create\s+done[\s\S]*4\. route\s+done/)
    expect(jobPage).toContain('The job has succeeded.')
    const tenantPage = page(tenant)
    expect(tenantPage).toMatch(/blog active/)
    expect(tenantPage).toContain('blog.example.net')
    expect(tenantPage).toContain('wcp tenant get blog')
  })
})

function page(file: string): string {
  expect(existsSync(file), 'lynx came as far as to print its page').toBe(true)
  return readFileSync(file, 'utf8')
}

async function lynx(path: string, keys: readonly string[]): Promise<void> {
  const settings = join(panel.directory, 'lynx.cfg')
  const script = join(panel.directory, 'keys')
  writeFileSync(settings, 'ACCEPT_ALL_COOKIES:TRUE\nINFOSECS:0\nMESSAGESECS:0\nALERTSECS:0\n')
  writeFileSync(script, [...keys, 'q', 'y'].map((key) => `key ${key}\n`).join(''))
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: panel.directory,
    LANG: 'C.UTF-8',
    TERM: 'vt100',
    LINES: '50',
    COLUMNS: '100',
    SSL_CERT_FILE: panel.certificate,
  }
  const running = promisify(execFile)(
    'lynx',
    [`-cfg=${settings}`, '-display_charset=utf-8', `-cmd_script=${script}`, `${panel.url}${path}`],
    { env, timeout: 90_000 },
  )
  running.child.stdin?.end()
  await running
}
