/** One directory that crash cases run in, over and over: saved before, put back for each case, with Nginx going on. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { Authority } from '../support/authority.ts'
import { executable } from '../support/executable.ts'
import { processesOf } from '../support/processes.ts'
import { Product } from '../support/product.ts'
import { type CrashType, certify, crashJobs, mark, purge, site, tenant } from './crash-jobs.ts'
import type { ClientEvent } from './history.ts'
import { ask, type Request } from './recording-client.ts'

export const neighbour = 'neighbour.example.com'
/** What is saved and put back; the rest is runtime, or Nginx's own. */
const saved = ['etc', 'srv', 'var/lib', 'var/log/wcp360/tenants', 'var/log/wcp360/audit.log']
const patienceMs = 60_000

export type JobEnd = 'succeeded' | 'failed' | 'cancelled'

export interface JobView {
  readonly id: string
  readonly state: string
  readonly failure: { readonly code: string; readonly message: string; readonly step: string | null } | null
}

export class CrashMachine {
  readonly product: Product
  readonly #store: string
  readonly #saved = new Map<string, readonly ClientEvent[]>()
  #chain = ''
  /** What the client of this machine saw. */
  client: ClientEvent[] = []

  private constructor(product: Product) {
    this.product = product
    this.#store = `${product.root}.saved`
  }

  /** With two packages and a neighbour whose site must answer whatever happens to the others. */
  static async make(): Promise<CrashMachine> {
    // one thread for files, so that the calls of a job come in the same order each time
    const env = { UV_THREADPOOL_SIZE: '1' }
    const machine = new CrashMachine(await Product.serving({ command: [executable()], env }))
    const { product } = machine
    await product.call('POST', '/packages', { name: 'small', cpuPct: 50, memMb: 256, pids: 32 })
    await product.call('POST', '/packages', { name: 'large', cpuPct: 100, memMb: 512, pids: 64 })
    await machine.do({
      method: 'POST',
      path: '/tenants',
      body: { name: 'neighbour', package: 'small', domain: neighbour },
    })
    await machine.untilSettled()
    await machine.#save('base')
    return machine
  }

  /** Brings the machine to where the job can be asked for, and saves it under the name of the type. */
  async prepare(type: CrashType): Promise<void> {
    await this.putBack('base')
    await this.product.start()
    for (const request of crashJobs[type].before) {
      await this.do(request)
      await this.untilSettled()
    }
    if (crashJobs[type].request === 'certify') await this.#certify()
    crashJobs[type].damage?.(this.product.root)
    this.#putPage()
    await this.#save(type)
  }

  /** The same chain for every case: the key is saved with the machine. */
  async #certify(): Promise<void> {
    const { request: csr } = (await this.product.call('GET', `/certificates/${site}/request`)) as { request: string }
    const authority = new Authority()
    this.#chain = authority.issue({ csr })
    authority.dispose()
  }

  /** The same files as when it was saved, and no process but Nginx. */
  async putBack(name: string): Promise<void> {
    await this.product.stop()
    await this.#endAllButNginx()
    const { root, places } = this.product
    rmSync(places.run, { recursive: true, force: true })
    for (const part of saved) rmSync(join(root, part), { recursive: true, force: true })
    for (const part of saved) copy(join(this.#store, name, part), join(root, part))
    this.client = [...(this.#saved.get(name) ?? [])]
  }

  /** Wakes the tenant's PHP where the job has to stop it. */
  async wake(type: CrashType): Promise<void> {
    if (!crashJobs[type].wakes) return
    const status = await this.product.visit(site, { path: '/index.php' })
    if (status !== 200) throw new Error(`the site to be stopped answered ${status}`)
  }

  /** Sends the request that makes the job; the job when it was acknowledged, else undefined. */
  async submit(type: CrashType): Promise<string | undefined> {
    const { request } = crashJobs[type]
    if (request === 'purge') return await purge(this.product)
    return await this.do(request === 'certify' ? { ...certify, body: { chain: this.#chain } } : request)
  }

  async do(request: Request): Promise<string | undefined> {
    const outcome = await ask(this.product, this.client, await this.#named(request))
    return typeof outcome === 'object' ? (outcome.job ?? undefined) : undefined
  }

  /** `{first}` in a path is the first thing that its list has. */
  async #named(request: Request): Promise<Request> {
    const [list = '', rest] = request.path.split('/{first}')
    if (rest === undefined) return request
    const { items } = (await this.product.call('GET', list)) as { items: readonly { id: string }[] }
    return { ...request, path: `${list}/${items[0]?.id ?? '00000000-0000-4000-8000-000000000000'}${rest}` }
  }

  async job(id: string): Promise<JobView> {
    return (await this.product.call('GET', `/jobs/${id}`)) as JobView
  }

  /** Every job has ended; those that have not within a minute are named. */
  async untilSettled(): Promise<readonly JobView[]> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const open = await this.openJobs()
      if (open.length === 0 || performance.now() > deadline) return open
      await pause(25)
    }
  }

  async openJobs(): Promise<readonly JobView[]> {
    const { items } = (await this.product.call('GET', '/jobs?limit=20')) as { items: readonly JobView[] }
    return items.filter(({ state }) => ['queued', 'running', 'stalled'].includes(state))
  }

  /** Jobs of the tenant's own commands. */
  async runs(): Promise<readonly JobView[]> {
    const { items } = (await this.product.call('GET', '/jobs?limit=20&type=domain.run')) as {
      items: readonly JobView[]
    }
    return items
  }

  /** How often one of them has begun. */
  begun(): number {
    const file = join(this.#docroot, mark)
    return existsSync(file) ? readFileSync(file).length : 0
  }

  /** Descriptors of the agent by what they are. Sockets and timers come and go with connections. */
  descriptors(): readonly string[] {
    const directory = `/proc/${this.product.pids.agent}/fd`
    return readdirSync(directory)
      .flatMap((fd) => {
        try {
          return [readlinkSync(join(directory, fd)).replace(/:\[\d+\]$/, '')]
        } catch {
          return [] // closed meanwhile
        }
      })
      .sort()
  }

  /** Processes that should not be there when the agent has stopped: anything but Nginx and PHP of living tenants. */
  strayProcesses(): readonly string[] {
    const { nginx } = this.product.pids
    return processesOf(this.product.root)
      .filter(({ pid, parent, uid }) => pid !== nginx && parent !== nginx && uid < 20_000)
      .map(({ pid, words }) => `${pid} ${words.join(' ').trim()}`)
      .filter((text) => !/\/(prlimit|bwrap|setpriv) |php-fpm/.test(text))
  }

  async dispose(): Promise<void> {
    await this.product.dispose()
    rmSync(this.#store, { recursive: true, force: true })
  }

  async #save(name: string): Promise<void> {
    await this.product.stop()
    this.#saved.set(name, this.client)
    for (const part of saved) copy(join(this.product.root, part), join(this.#store, name, part))
  }

  #putPage(): void {
    if (!existsSync(this.#docroot)) return
    writeFileSync(join(this.#docroot, 'index.php'), '<?php echo "awake";', { mode: 0o644 })
  }

  get #docroot(): string {
    return this.product.places.customers.docroot(TenantName.parse(tenant), Fqdn.parse(site))
  }

  async #endAllButNginx(): Promise<void> {
    for (;;) {
      const { nginx } = this.product.pids
      const left = processesOf(this.product.root).filter(({ pid, parent }) => pid !== nginx && parent !== nginx)
      if (left.length === 0) return
      for (const { pid } of left) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // it ended with its parent
        }
      }
      await pause(10)
    }
  }
}

function copy(from: string, to: string): void {
  if (!existsSync(from)) return
  mkdirSync(join(to, '..'), { recursive: true })
  rmSync(to, { recursive: true, force: true })
  execFileSync('/bin/cp', ['-a', '--reflink=auto', '--', from, to])
}
