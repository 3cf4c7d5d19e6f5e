/** Mode and owner of everything that a tenant with a site has on the machine, one line each: a change of one is seen here. */
import { statSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Bench } from './bench.ts'
import { leadUp, scenarios } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

it('are those of this list', async () => {
  const before = new Set(placesOf(bench.manifest()))
  await leadUp(bench, 'domain.update')
  await bench.run('domain.update', scenarios['domain.update'].payload)

  const made = placesOf(bench.manifest()).filter((line) => !before.has(line))
  await expect(`${made.join('\n')}\n`).toMatchFileSnapshot('./modes.txt')
})

it('keep the gate above all customers shut, and document roots open below it', async () => {
  await bench.run('tenant.create', scenarios['tenant.create'].payload)
  await bench.run('domain.create', scenarios['domain.create'].payload)

  expect([modeOf('srv/www'), modeOf(docroot)]).toEqual(['710', '2755'])
})

it('keep document roots shut where tenants have to pass the gate themselves', async () => {
  bench.services.hasOwnViews = false
  await bench.prepare()
  await bench.run('tenant.create', scenarios['tenant.create'].payload)
  await bench.run('domain.create', scenarios['domain.create'].payload)

  expect([modeOf('srv/www'), modeOf(docroot)]).toEqual(['711', '2750'])
})

it('leave an adopted text to root alone', async () => {
  await leadUp(bench, 'tenant.adopt')
  expect(await bench.run('tenant.adopt', scenarios['tenant.adopt'].payload)).toMatchObject({ failure: null })

  expect(modeOf('var/lib/wcp360-web/tenants/acme/php-fpm.adopted.json')).toBe('600')
  expect(modeOf('var/lib/wcp360-web/tenants/acme/php-fpm.conf')).toBe('640')
})

const docroot = 'srv/www/acme/sites/shop.example.com/public'

function modeOf(path: string): string {
  return (statSync(`${bench.root}/${path}`).mode & 0o7777).toString(8)
}

/** `path uid gid mode`, without what is in it. */
function placesOf(manifest: string): string[] {
  return manifest.split('\n').map((line) => line.split(' ').slice(0, 4).join(' '))
}
