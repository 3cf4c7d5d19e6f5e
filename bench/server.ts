/** The packed product as the figures are taken of it: set up, with tenants that have one PHP site each. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Fqdn, TenantName } from '../src/contract/values.ts'
import { executable } from '../test/support/executable.ts'
import { processes, processesOf } from '../test/support/processes.ts'
import { Product } from '../test/support/product.ts'
import { timed } from './bench.ts'

/** Such as a small package of a hoster has. */
const limits = { maxDomains: 10, cpuPct: 100, memMb: 512, pids: 120, ioMbps: 50, diskMb: 2048 }
/** Linux users of tenants (src/agent/jobs/registry.ts). */
const firstUid = 20_000
const lastUid = 59_999
/** Lines of config.yaml: what is measured is the work, not the limits. */
export const withoutLimits = [
  'log_level: warn',
  'requests_per_minute: 1000000',
  'reads_per_minute: 1000000',
  'deletes_per_hour: 100000',
  'creates_per_hour: 100000',
  'changes_per_hour: 100000',
  '',
].join('\n')

export class Server {
  readonly #product: Product

  private constructor(product: Product) {
    this.#product = product
  }

  /**
   * Set up, connected, and without a tenant.
   * @param settings further lines of config.yaml
   * @param prepare changes what is on the disk while nothing runs, before the last start
   */
  static async start(settings = '', prepare?: (product: Product) => Promise<void>): Promise<Server> {
    const web = { workers: 2, connections: 4096 }
    const product = await Product.serving({ command: [executable()], config: withoutLimits + settings, web })
    if (prepare !== undefined) {
      await product.stop()
      await prepare(product)
      await product.start()
    }
    await product.call('POST', '/packages', { name: 'bench', ...limits })
    return new Server(product)
  }

  get places() {
    return this.#product.places
  }

  get ports() {
    return this.#product.ports
  }

  /** Stops the product and starts it again. @returns milliseconds until panel and agent had both answered */
  async restart(): Promise<number> {
    await this.#product.stop()
    return await timed(() => this.#product.start())
  }

  get agentPid(): number {
    return this.#product.pids.agent
  }

  /** The agent's child in a role. */
  child(role: 'panel' | 'waker'): number {
    const pid = this.#product.pids[role]
    if (pid === undefined) throw new Error(`the ${role} does not run`)
    return pid
  }

  tenantProcesses(): number {
    return this.tenantPids().length
  }

  /** Processes of this server's tenants. */
  tenantPids(): readonly number[] {
    return processesOf(this.#product.root)
      .filter(({ uid }) => uid >= firstUid && uid <= lastUid)
      .map(({ pid }) => pid)
  }

  /** Its PHP can be reached. */
  isAwake(name: string): boolean {
    return existsSync(this.places.fpmSocket(TenantName.parse(name)))
  }

  awakeTenants(): number {
    return readdirSync(this.places.fpmRun).filter((file) => /^[a-z].*\.sock$/.test(file)).length
  }

  get webMaster(): number {
    const { nginx } = this.#product.pids
    if (nginx === undefined) throw new Error('the web server does not run')
    return nginx
  }

  /** Workers of the web server: a reload replaces them. */
  webWorkers(): readonly number[] {
    const { webMaster } = this
    return processes()
      .filter(({ parent }) => parent === webMaster)
      .map(({ pid }) => pid)
  }

  call: Product['call'] = (...words) => this.#product.call(...words)

  /** A tenant with one PHP site, `<name>.example.com`; resolves when the request is answered, not when the job has ended. */
  async createTenant(name: string): Promise<void> {
    await this.call('POST', '/tenants', { name, package: 'bench', domain: hostOf(name) })
  }

  docroot(name: string): string {
    return this.places.customers.docroot(TenantName.parse(name), Fqdn.parse(hostOf(name)))
  }

  putPage(name: string, php: string): void {
    const docroot = this.docroot(name)
    rmSync(join(docroot, 'index.html'), { force: true })
    writeFileSync(join(docroot, 'index.php'), php, { mode: 0o644 })
  }

  /** Status of one request for a site; 0 when the connection was closed without an answer. */
  visit(name: string, agent: Agent | false = false): Promise<number> {
    return this.#product.visit(hostOf(name), { agent })
  }

  async untilServed(name: string): Promise<void> {
    const deadline = performance.now() + 60_000
    while ((await this.visit(name)) !== 200) {
      if (performance.now() > deadline) throw new Error('waited a minute in vain')
      await sleep(2)
    }
  }

  /** Resolves when no job waits or runs, and fails when one has failed. */
  async untilQuiet(): Promise<void> {
    const has = async (state: string) => {
      const { items } = Jobs.parse(await this.call('GET', `/jobs?state=${state}&limit=1`))
      return items.length > 0
    }
    while ((await has('queued')) || (await has('running'))) await sleep(100)
    if (await has('failed')) throw new Error('a job has failed')
  }

  dispose(): Promise<void> {
    return this.#product.dispose()
  }
}

const Jobs = z.object({ items: z.array(z.unknown()) })

export function hostOf(name: string): string {
  return `${name}.example.com`
}
