/** A real name server that takes signed updates (Knot), at port 53 of a loopback address, and another one that follows it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface KnotOptions {
  readonly address: string
  readonly zone: string
  /** Lines of a zone file. */
  readonly records?: readonly string[]
  readonly keys?: readonly { readonly name: string; readonly algorithm: string; readonly secret: string }[]
  /** Names below which the keys may change texts; without: everywhere in the zone. */
  readonly owners?: readonly string[]
  /** Address of the one whose zone it copies, when it is told to. */
  readonly follows?: string
}

/** Debian's `nobody` and `nogroup`. */
const nobody = 65_534

export class Knot {
  readonly #directory = mkdtempSync(join(tmpdir(), 'wcp-knot-'))
  readonly #options: KnotOptions
  #process: ChildProcess | undefined
  #output = ''

  private constructor(options: KnotOptions) {
    this.#options = options
  }

  static async start(options: KnotOptions): Promise<Knot> {
    const knot = new Knot(options)
    await knot.#begin()
    return knot
  }

  get address(): string {
    return this.#options.address
  }

  async texts(name: string): Promise<string[]> {
    const found = await this.#resolver()
      .resolveTxt(name)
      .catch(() => [])
    return found.map((parts) => parts.join('')).toSorted()
  }

  /** Copies the zone of the one that it follows. */
  refresh(): void {
    this.#control('zone-refresh', this.#options.zone)
  }

  /** @param line a record, such as `shop A 127.0.0.1` */
  set(...line: readonly [name: string, type: string, data: string]): void {
    const [name, type, data] = line
    const { zone } = this.#options
    this.#control('zone-begin', zone)
    this.#control('zone-set', zone, name, '5', type, data)
    this.#control('zone-commit', zone)
  }

  async stop(): Promise<void> {
    const server = this.#process
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #begin(): Promise<void> {
    const { zone, records = [], follows } = this.#options
    chownSync(this.#directory, nobody, nobody)
    if (follows === undefined) {
      const head = ['$TTL 5', '@ SOA ns1 hostmaster 1 3600 600 86400 5']
      writeFileSync(join(this.#directory, `${zone}.zone`), `$ORIGIN ${zone}.\n${[...head, ...records].join('\n')}\n`)
    }
    writeFileSync(this.#file, this.#configuration())
    const server = spawn('/usr/sbin/knotd', ['-c', this.#file], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (this.#output += chunk))
    this.#process = server
    for (;;) {
      const soa = await this.#resolver()
        .resolveSoa(zone)
        .catch(() => undefined)
      if (soa !== undefined) return
      if (server.exitCode !== null) throw new Error(`the name server has ended: ${this.#output}`)
      await pause(20)
    }
  }

  get #file(): string {
    return join(this.#directory, 'knot.conf')
  }

  #control(...words: readonly string[]): void {
    execFileSync('/usr/sbin/knotc', ['-c', this.#file, '-b', ...words], { stdio: 'pipe' })
  }

  #resolver(): Resolver {
    const resolver = new Resolver({ timeout: 500, tries: 1 })
    resolver.setServers([this.#options.address])
    return resolver
  }

  #change(): string[] {
    const { keys = [], owners = [] } = this.#options
    const lists = (values: readonly string[]) => `[${values.map((one) => JSON.stringify(one)).join(', ')}]`
    const whom = ['  - id: change', `    key: ${lists(keys.map(({ name }) => name))}`]
    const what = ['    action: update', '    update-type: TXT']
    if (owners.length === 0) return [...whom, ...what]
    const where = ['    update-owner: name', '    update-owner-match: sub-or-equal']
    return [...whom, ...what, ...where, `    update-owner-name: ${lists(owners)}`]
  }

  #configuration(): string {
    const { address, zone, keys = [], follows } = this.#options
    const own = JSON.stringify(this.#directory)
    return [
      'server:',
      `  rundir: ${own}`,
      '  user: nobody:nogroup',
      `  listen: ${address}@53`,
      'control:',
      '  listen: knot.sock',
      'log:',
      '  - target: stdout',
      '    any: info',
      'database:',
      `  storage: ${own}`,
      ...(keys.length === 0 ? [] : ['key:']),
      ...keys.flatMap(({ name, algorithm, secret }) => [
        `  - id: ${name}`,
        `    algorithm: ${algorithm}`,
        `    secret: ${secret}`,
      ]),
      'acl:',
      '  - id: copy',
      '    action: transfer',
      ...(keys.length === 0 ? [] : this.#change()),
      ...(follows === undefined ? [] : ['remote:', '  - id: first', `    address: ${follows}@53`]),
      'zone:',
      `  - domain: ${zone}`,
      `    storage: ${own}`,
      `    file: ${zone}.zone`,
      '    zonefile-load: whole',
      `    acl: ${keys.length === 0 ? '[copy]' : '[copy, change]'}`,
      ...(follows === undefined ? [] : ['    master: first']),
      '',
    ].join('\n')
  }
}
