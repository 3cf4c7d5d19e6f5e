/** The packed product as the figures are taken of it: set up, with tenants that have one PHP site each. */
import { rmSync, writeFileSync } from 'node:fs'
import type { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fqdn, TenantName } from '../src/contract/values.ts'
import { executable } from '../test/support/executable.ts'
import { processes } from '../test/support/processes.ts'
import { Product } from '../test/support/product.ts'

export class Server {
  readonly #product: Product

  private constructor(product: Product) {
    this.#product = product
  }

  /** Set up, connected, and without a tenant. */
  static async start(): Promise<Server> {
    const web = { workers: 2, connections: 4096 }
    const product = await Product.serving({ command: [executable()], config: 'log_level: warn\n', web })
    await product.call('POST', '/packages', { name: 'bench' })
    return new Server(product)
  }

  get places() {
    return this.#product.places
  }

  get ports() {
    return this.#product.ports
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

  /** The Linux user of each process that the agent or its children have started. */
  usersOfDescendants(): readonly number[] {
    const all = processes()
    const below = (pid: number): readonly number[] =>
      all.filter(({ parent }) => parent === pid).flatMap(({ pid: child, uid }) => [uid, ...below(child)])
    return below(this.agentPid)
  }

  /** Workers of the web server: a reload replaces them. */
  webWorkers(): readonly number[] {
    const master = this.#product.pids.nginx
    return processes()
      .filter(({ parent }) => parent === master)
      .map(({ pid }) => pid)
  }

  call: Product['call'] = (...words) => this.#product.call(...words)

  /** A tenant with one PHP site, `<name>.example.com`; resolves when the request is answered, not when the job has ended. */
  async createTenant(name: string): Promise<void> {
    await this.call('POST', '/tenants', { name, package: 'bench', domain: hostOf(name) })
  }

  putPage(name: string, php: string): void {
    const docroot = this.places.customers.docroot(TenantName.parse(name), Fqdn.parse(hostOf(name)))
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

  dispose(): Promise<void> {
    return this.#product.dispose()
  }
}

export function hostOf(name: string): string {
  return `${name}.example.com`
}
