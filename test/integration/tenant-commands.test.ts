/** `wcp run` from the command line to the tenant's process and back, through panel and agent as they are. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { layout } from '../../src/agent/os/layout.ts'
import { wcp } from '../../src/cli/wcp.ts'
import { asset } from '../../src/program/assets.ts'
import { Job } from '../../src/resources/job/schema.ts'
import { Product } from '../support/product.ts'
import { php } from './run-machine.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const canRun = process.getuid?.() === 0 && existsSync('/usr/sbin/nginx') && php !== null
const site = 'shop.example.com'
const Accepted = z.looseObject({ jobId: z.string() })

describe.skipIf(!canRun)('a command for the place of a site', () => {
  let machine: Product

  beforeAll(async () => {
    asset('styles.css') // compiled now: the panel's account may not write into the checkout
    machine = await Product.serving({ command: [process.execPath, main] })
    await machine.call('POST', '/packages', { name: 'basic', pids: 80 })
    await machine.call('POST', '/tenants', { name: 'acme', package: 'basic', domain: site })
    await machine.until('the site is made', async () => (await status()) === 'active')
  })
  afterAll(() => machine?.dispose())

  const status = async () => ((await machine.call('GET', `/domains/${site}`)) as { status: string }).status
  const begin = async (...command: string[]) =>
    Accepted.parse(await machine.call('POST', `/domains/${site}/run`, { command })).jobId
  const jobOf = async (id: string) => Job.loose().parse(await machine.call('GET', `/jobs/${id}`))
  const printed = async (id: string) => ((await machine.call('GET', `/jobs/${id}/output`)) as { text: string }).text
  const ended = (id: string) =>
    machine.until('the job has ended', async () => /succeeded|failed/.test((await jobOf(id)).state))

  async function typed(...words: string[]): Promise<{ code: number; out: string; err: string }> {
    const said = { out: '', err: '' }
    const to = (key: keyof typeof said) => (text: string) => {
      said[key] += text
    }
    const ask = { secret: never, text: never, yes: async () => true }
    const output = { out: to('out'), err: to('err'), colour: false }
    const own = ['--root', machine.root, ...words]
    const code = await wcp(own, { output, ask, env: {}, isTerminal: false, places: layout, onInterrupt() {} })
    return { code, ...said }
  }

  it('prints what it prints, in its directory, with the PHP of the site', async () => {
    const { code, out, err } = await typed('run', site, '--', 'sh', '-c', 'pwd; php -v; id -un')

    expect(err).toContain('domain.run succeeded')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^/\\S+/sites/${site}/public\nPHP ${php}\\.[\\s\\S]*\nacme\n$`))
  })

  it('finds that directory with the domain', async () => {
    expect((await typed('domain', 'get', site)).out).toMatch(/\ndirectory +\/srv\/www\/acme\/sites\/\S+\/public\n/)
  })

  it('tells its exit code, and shows ten megabytes whole', async () => {
    const failed = await typed('run', site, '--', 'sh', '-c', 'echo before; exit 3')
    expect(failed).toMatchObject({ code: 10, out: 'before\n' })
    expect(failed.err).toContain('The command ended with exit code 3')

    expect((await typed('run', site, '--', 'seq', '1', '1400000')).out.length).toBe(10_088_896)
  })

  it('shows no page and no plan anything but text, and its words are in the trail', async () => {
    const plan = await typed('run', site, '--plan', '--', 'echo', 'a b')
    expect(plan.out).toContain("echo 'a b'")
    await typed('run', site, '--', 'printf', '\\033]0;evil\\007<b>')
    const { items } = (await machine.call('GET', '/audit?action=domain.run')) as { items: readonly unknown[] }
    expect(JSON.stringify(items[0])).toContain('evil')
  })

  it('is run for a cron job the same way, with its environment, and its end is in the history', async () => {
    const cron = async (name: string, script: string) => {
      const body = { domain: site, name, schedule: '0 4 29 2 *', command: ['sh', '-c', script] }
      const { id } = (await machine.call('POST', '/cron-jobs', { ...body, environment: ['NOTE=a $b %n'] })) as {
        id: string
      }
      const { jobId } = Accepted.parse(await machine.call('POST', `/cron-jobs/${id}/run`))
      await ended(jobId)
      const runs = async () => (await machine.call('GET', `/cron-jobs/${id}/runs`)) as { items: readonly object[] }
      await machine.until('the run is over', async () => /succeeded|failed/.test(JSON.stringify((await runs()).items)))
      return { printed: await printed(jobId), runs: (await runs()).items }
    }

    const good = await cron('good', 'pwd; id -un; echo "$NOTE"')
    expect(good.printed).toMatch(new RegExp(`/sites/${site}/public\nacme\na \\$b %n\n$`))
    expect(good.runs).toEqual([expect.objectContaining({ outcome: 'succeeded', exitCode: 0, isByHand: true })])
    const bad = await cron('bad', 'exit 3')
    const problem = 'The command ended with exit code 3'
    expect(bad.runs).toEqual([expect.objectContaining({ outcome: 'failed', exitCode: 3, problem })])
  })

  it('ends when it is stopped, and lets everything else of the tenant go by', async () => {
    const job = await begin('sh', '-c', 'trap "" TERM; echo begun; while :; do sleep 60; done')
    await machine.until('it has begun', async () => (await printed(job)).includes('begun'))
    expect((await typed('domain', 'update', site, '--aliases', 'www.shop.example.net')).code).toBe(0)

    await machine.call('POST', `/jobs/${job}/stop`)
    await ended(job)
    expect((await jobOf(job)).failure?.message).toBe('The command was cancelled')
  })

  const docroot = () => join(machine.places.customers.root, 'acme/sites', site, 'public')
  /** It says "end" when it is let. */
  const waiting = (name: string) =>
    `echo began >>${name}; echo begun; until [ -e go-${name} ]; do sleep 0.1; done; echo end`

  it('is found again by an agent that was killed, and never begun twice', async () => {
    const job = await begin('sh', '-c', waiting('killed'))
    await machine.until('it has begun', async () => (await printed(job)).includes('begun'))
    await machine.restart('SIGKILL')
    writeFileSync(join(docroot(), 'go-killed'), '')
    await ended(job)

    expect(await jobOf(job)).toMatchObject({ state: 'succeeded', failure: null })
    expect(await printed(job)).toBe('begun\nend\n')
    expect(readFileSync(join(docroot(), 'killed'), 'utf8')).toBe('began\n')
  })

  it('goes on over an orderly restart', async () => {
    const job = await begin('sh', '-c', waiting('stopped'))
    await machine.until('it has begun', async () => (await printed(job)).includes('begun'))
    await machine.restart()
    writeFileSync(join(docroot(), 'go-stopped'), '')
    await ended(job)
    expect(await printed(job)).toBe('begun\nend\n')
  })

  it('ends with a suspension, and does not begin while one stands', async () => {
    const job = await begin('sh', '-c', 'echo begun; setsid sleep 600 & sleep 600')
    await machine.until('it has begun', async () => (await printed(job)).includes('begun'))
    expect((await typed('tenant', 'suspend', 'acme')).code).toBe(0)
    await ended(job)
    expect((await typed('run', site, '--', 'true')).code).not.toBe(0)
  })
})

const never = () => Promise.reject(new Error('nothing is asked here'))
