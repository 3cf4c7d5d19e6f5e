/**
 * What every attack is made against: one product that runs all the while, with the people who attack each other in it and
 * a neighbour that nothing may happen to. Everything that the root side executes is written down from its first moment.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { siteOf, World } from '../faults/world.ts'
import { type Answer, ask } from '../operations/support/client.ts'
import type { Ids } from '../operations/support/world.ts'
import { executable } from '../support/executable.ts'
import { NameServer } from '../support/name-server.ts'
import type { Product } from '../support/product.ts'
import { tracedCommand } from './executed.ts'
import { MachineWatch } from './machine-watch.ts'
import { PanelBrowser } from './panel-browser.ts'
import { type SlowEnd, slowClients } from './slow-clients.ts'

export const password = 'correct horse battery'
/** The panel's own name, as its configuration has it. */
export const panelHost = 'panel.wcp-test.example'

/** What they own in the DNS, and what the name server of the stage answers for. */
export const zone = 'example.net'
/** How often somebody may come is the concern of C26 alone. */
const anyNumber = ['requests', 'reads', 'writes', 'jobs'].map((what) => `${what}_per_minute: 1000000\n`).join('')

export interface Customer {
  readonly name: string
  /** Name of its site. */
  readonly site: string
  readonly tenant: string
  readonly domain: string
  readonly user: string
  readonly uid: number
  readonly browser: PanelBrowser
}

export class Stage {
  readonly world: World
  readonly product: Product
  /** Lines of strace: every program that was executed by the product's processes. */
  readonly executed: () => readonly string[]
  readonly #trace: string
  /** Whom the panel asks for proofs; it knows of `zone`. */
  readonly dns: NameServer
  admin!: PanelBrowser
  /** Of the bakery, and of nobody else. */
  reseller!: PanelBrowser
  baker!: Customer
  butcher!: Customer
  /** Of the baker's things, as `inputFor` of the operations' tests wants them. */
  ids!: Ids
  watch!: MachineWatch
  /** They have begun with the stage; C32 asks what became of them. */
  slowClients!: Promise<readonly SlowEnd[]>
  /** Lines of the log that an attack has brought about, as patterns; any other above a notice fails the run. */
  readonly explained: RegExp[] = [/^a forged request was refused$/]

  private constructor(world: World, trace: string, dns: NameServer) {
    this.world = world
    this.dns = dns
    this.product = world.product
    this.#trace = trace
    this.executed = () => readFileSync(trace, 'utf8').split('\n').filter(Boolean)
  }

  static async open(): Promise<Stage> {
    const trace = `/var/tmp/wcp-executed-${process.pid}`
    const dns = await NameServer.start([zone])
    const world = await World.open({
      command: tracedCommand(trace, executable()),
      // What an inherited environment could do to the root side and to everything that it starts (C13, C37).
      env: { NODE_OPTIONS: '--require=/nonexistent/evil.js', BASH_ENV: '/nonexistent/evil', HTTP_PROXY: 'http://evil' },
      config: `base_url: https://${panelHost}\ndns_servers: ${dns.address}\n${anyNumber}`,
    }).catch(async (error) => {
      await dns.stop()
      throw error
    })
    const stage = new Stage(world, trace, dns)
    try {
      await stage.#people()
      const { text } = await stage.browser().page('/login')
      const style = /"(\/assets\/[^"]+\.css)"/.exec(text)?.[1]
      if (style === undefined) throw new Error('the page to sign in has no style sheet')
      stage.slowClients = slowClients(stage.product, panelHost, style)
      stage.watch = MachineWatch.of(stage)
      return stage
    } catch (error) {
      await stage.close()
      throw error
    }
  }

  /** As root, on the private socket: whatever status comes back. */
  readonly root = (method: string, path: string, body?: unknown): Promise<Answer> => {
    const where = { socketPath: this.product.places.cliSocket }
    return ask(where, { method, path: `/api/v1${path}`, ...(body !== undefined && { body }) })
  }

  /** A browser of nobody. @param from an address of loopback: the throttle counts by network */
  browser(from?: string): PanelBrowser {
    return new PanelBrowser({ port: this.product.ports.panel, tls: true, ...(from !== undefined && { from }) })
  }

  async signedIn(email: string, from?: string): Promise<PanelBrowser> {
    const browser = this.browser(from)
    const { status } = await browser.signIn(email, password)
    if (status !== 303) throw new Error(`${email} cannot sign in: ${status}`)
    return browser
  }

  async close(): Promise<void> {
    await this.world.close()
    await this.dns.stop()
    rmSync(this.#trace, { force: true })
  }

  async #people(): Promise<void> {
    await this.#make('/users', { email: 'admin@example.com', password, role: 'system_admin' })
    const reseller = await this.#make('/resellers', { email: 'seller@example.com', password })
    await this.#make('/resellers', { email: 'rival@example.com', password })
    const role = await this.#make('/roles', { name: 'viewer', scope: 'local', permissions: ['domain.list'] })
    this.admin = await this.signedIn('admin@example.com')
    this.reseller = await this.signedIn('seller@example.com')
    await this.#make('/packages', { name: 'small', reseller: 'seller@example.com' })
    const reselling = { reseller: 'seller@example.com', package: 'small' }
    this.baker = await this.#customer('bakery', 'baker@example.com', reselling)
    this.butcher = await this.#customer('butcher', 'butcher@example.com', { package: 'basic' })
    const { tenant, domain, user } = this.baker
    const [pack, job, session] = await Promise.all([
      this.#id('/packages/basic'),
      this.#firstId(`/jobs?tenant=${tenant}&limit=1`),
      this.#firstId(`/sessions?user=${user}`),
    ])
    const apiKey = await this.#make(`/users/${user}/api-keys`, { name: 'deploy', scopes: ['domain.list'] })
    const claim = { tenant: 'bakery', fqdn: 'cakes.example.net' }
    const waiting = String((await this.baker.browser.call('POST', '/api/v1/domains', claim)).json().id)
    // There is none: it is made on a port of its own.
    const certificate = '6f1d3c52-0a4e-4b7e-9a51-0c1f5ce70001'
    this.ids = { tenant, domain, waiting, user, package: pack, role, reseller, job, session, apiKey, certificate }
  }

  async #customer(name: string, email: string, more: object): Promise<Customer> {
    const site = siteOf(name)
    await this.#make('/tenants', { name, domain: site, ...more })
    await this.world.settled()
    const user = await this.#make('/users', { email, password, role: 'user', tenant: name })
    const record = JSON.parse(readFileSync(join(this.product.places.userdb, `${name}.user`), 'utf8')) as { uid: number }
    return {
      name,
      site,
      user,
      tenant: await this.#id(`/tenants/${name}`),
      domain: await this.#id(`/domains/${site}`),
      uid: record.uid,
      browser: await this.signedIn(email),
    }
  }

  /** @returns its id */
  async #make(path: string, body: object): Promise<string> {
    const answer = await this.root('POST', path, body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
    return String(answer.json().id)
  }

  async #id(path: string): Promise<string> {
    return String((await this.root('GET', path)).json().id)
  }

  async #firstId(path: string): Promise<string> {
    return String((await this.root('GET', path)).json().items?.[0]?.id)
  }
}
