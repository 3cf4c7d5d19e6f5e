/** F09 and F10: a foreign broken file, a web server that died, a port that somebody has. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { asRow } from './rows.ts'
import { inWorld, siteOf, until, World } from './world.ts'

const Services = z.object({
  services: z.array(z.object({ name: z.string(), state: z.string(), detail: z.string().nullable() })),
})
const webServer = async ({ product }: World) =>
  Services.parse(await product.call('GET', '/health')).services.find(({ name }) => name === 'nginx')

it(
  'a foreign broken file does not stop jobs; a change that needs a reload is put back, with the file named',
  inWorld(
    'F09',
    'broken file of somebody else in conf.d',
    'jobs go on; own change put back, file named',
    async (world) => {
      const { product } = world
      const foreign = join(product.root, 'etc/nginx/conf.d/foreign.conf')
      const before = readFileSync(product.places.nginxSite, 'utf8')
      writeFileSync(foreign, 'server { listen not-a-port; nonsense }\n')

      await world.createTenant('alpha')
      const jobs = await world.settled()
      expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['succeeded']))
      expect(await product.visit(siteOf('alpha'))).toBe(200)

      const { http } = product.ports
      writeFileSync(
        product.configFile,
        readFileSync(product.configFile, 'utf8').replace(`http_port: ${http}`, 'http_port: 1'),
      )
      product.kill('SIGHUP')
      const isPutBack = () => product.output.includes('the web server did not take its configuration')
      await until('the change is refused', isPutBack)
      expect(product.output).toContain('foreign.conf')
      expect(readFileSync(product.places.nginxSite, 'utf8')).toBe(before)
      expect(await product.visit(siteOf('neighbour'))).toBe(200)

      rmSync(foreign)
      product.configure()
      await world.oracle([/^the web server did not take its configuration; it was put back, sites keep the old one$/])
    },
  ),
)

it(
  'a web server that was killed is back at once, and it is told meanwhile',
  inWorld('F10', 'nginx killed', 'started again within seconds; one line for each end', async (world) => {
    const { product } = world
    const first = product.pids.nginx ?? -1
    for (const pid of [first, ...workersOf(first)]) process.kill(pid, 'SIGKILL')

    await until('another master runs', () => ![undefined, first].includes(product.pids.nginx))
    await until('the site is served again', async () => (await product.visit(siteOf('neighbour'))) === 200)

    expect(await webServer(world)).toMatchObject({ state: 'running' })
    await world.oracle([/^service ended$/, /nginx: \[(emerg|alert|notice)\]/])
  }),
)

it(
  'workers whose master was killed alone finish what they are at, and make room for the next',
  inWorld('F10', "nginx's master killed alone", 'another master and its workers', async (world) => {
    const { product } = world
    const first = product.pids.nginx ?? -1
    const orphans = workersOf(first)
    process.kill(first, 'SIGKILL')

    await until('another master runs', () => ![undefined, first].includes(product.pids.nginx))
    await until('the workers of the first are gone', () => orphans.every((pid) => !existsSync(`/proc/${pid}`)))
    await until('the site is served by the others', async () => (await product.visit(siteOf('neighbour'))) === 200)

    expect(workersOf(product.pids.nginx ?? -1)).toHaveLength(orphans.length)
    await world.oracle([/^service ended$/, /nginx: \[(emerg|alert|notice)\]/])
  }),
)

it(
  'a web server that hangs is told as failed, and a change that it does not take is put back',
  inWorld('F10', 'nginx hangs, also in a reload', 'told as failed; change put back; running again', async (world) => {
    const { product } = world
    const master = product.pids.nginx ?? -1
    const all = [master, ...workersOf(master)]
    const before = readFileSync(product.places.nginxSite, 'utf8')
    const reloads = () => product.output.split('"configuration reloaded"').length
    const reload = () => {
      const seen = reloads()
      product.kill('SIGHUP')
      return until('the configuration was taken', () => reloads() > seen, 60_000)
    }
    for (const pid of all) process.kill(pid, 'SIGSTOP')
    try {
      expect(await webServer(world)).toMatchObject({ state: 'failed', detail: expect.stringContaining('no answer') })
      const { http } = product.ports
      const config = readFileSync(product.configFile, 'utf8')
      writeFileSync(product.configFile, config.replace(`http_port: ${http}`, `http_port: ${http + 1}`))
      await reload()

      expect(product.output).toContain('did not take the new configuration')
      expect(readFileSync(product.places.nginxSite, 'utf8')).toBe(before)
    } finally {
      for (const pid of all) process.kill(pid, 'SIGCONT')
    }
    product.configure()
    await reload()
    await until('the site is served again', async () => (await product.visit(siteOf('neighbour'))) === 200)
    await until('panel and agent are connected', () => product.isConnected())
    expect(await webServer(world)).toMatchObject({ state: 'running' })
    await world.oracle([/^the web server did not take its configuration; it was put back, sites keep the old one$/])
  }),
)

it('a port that somebody has is told, tried again with growing pauses, and taken when it is free', () =>
  asRow('F10', 'port of the sites taken', 'told as failed, few lines, served when the port is free', async () => {
    const squatter = createServer()
    const world = await World.open()
    const { product } = world
    try {
      const master = product.pids.nginx ?? -1
      const before = product.output.length
      product.kill('SIGSTOP') // it would be first to take the port again
      for (const pid of [master, ...workersOf(master)]) process.kill(pid, 'SIGKILL')
      await until('the port is free', () => isTaken(squatter, product.ports.http))
      product.kill('SIGCONT')
      await pause(10_000)
      await until('it is told as failed', async () => (await webServer(world))?.state === 'failed', 20_000)
      expect(product.output.slice(before).split('\n').length).toBeLessThan(80)
      squatter.close()
      await until('the site is served', async () => (await product.visit(siteOf('neighbour'))) === 200, 60_000)
      await world.oracle([/^service ended$/, /nginx: \[emerg\]/])
    } finally {
      squatter.close()
      await world.close()
    }
  }))

function workersOf(master: number): readonly number[] {
  return readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

function isTaken(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, () => resolve(true))
  })
}
