/** A real authoritative name server (NSD) on a loopback port, as a user without any privilege. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Debian's `nobody` and `nogroup`. */
const nobody = { uid: 65_534, gid: 65_534 }

export class NameServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'wcp-dns-'))
  readonly #serials = new Map<string, number>()
  readonly #port: number
  #process: ChildProcess | undefined
  #output = ''

  private constructor(port: number) {
    this.#port = port
  }

  /** `broken`: zones that it knows of and cannot load, for which it answers SERVFAIL. */
  static async start(zones: readonly string[], broken: readonly string[] = []): Promise<NameServer> {
    const server = new NameServer(await freePort())
    await server.#begin(zones, broken)
    return server
  }

  /** As configuration and `Resolver.setServers` take it. */
  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Replaces the records of a zone, and resolves when they are answered. @param records lines of a zone file */
  async set(zone: string, records: readonly string[]): Promise<void> {
    this.#write(zone, records)
    this.#process?.kill('SIGHUP')
    await this.#serves(zone)
  }

  async stop(): Promise<void> {
    const server = this.#process
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #begin(zones: readonly string[], broken: readonly string[]): Promise<void> {
    mkdirSync(join(this.#directory, 'run'))
    for (const path of [this.#directory, join(this.#directory, 'run')]) chownSync(path, nobody.uid, nobody.gid)
    for (const zone of zones) this.#write(zone, [])
    const config = join(this.#directory, 'nsd.conf')
    writeFileSync(config, configuration(this.#directory, this.#port, [...zones, ...broken]))
    const server = spawn('/usr/sbin/nsd', ['-d', '-c', config], {
      ...nobody,
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (this.#output += chunk))
    this.#process = server
    for (const zone of zones) await this.#serves(zone)
  }

  #write(zone: string, records: readonly string[]): void {
    const serial = (this.#serials.get(zone) ?? 0) + 1
    this.#serials.set(zone, serial)
    writeFileSync(join(this.#directory, `${zone}.zone`), zoneFile(zone, serial, records))
  }

  async #serves(zone: string): Promise<void> {
    const resolver = new Resolver({ timeout: 500, tries: 1 })
    resolver.setServers([this.address])
    for (;;) {
      const soa = await resolver.resolveSoa(zone).catch(() => undefined)
      if (soa?.serial === this.#serials.get(zone)) return
      if (this.#process?.exitCode !== null) throw new Error(`the name server has ended: ${this.#output}`)
      await pause(20)
    }
  }
}

/** @param records lines of a zone file */
export function zoneFile(zone: string, serial: number, records: readonly string[]): string {
  const head = [
    `$ORIGIN ${zone}.`,
    '$TTL 5',
    `@ SOA ns hostmaster ${serial} 3600 600 86400 5`,
    '@ NS ns',
    'ns A 127.0.0.1',
  ]
  return `${[...head, ...records].join('\n')}\n`
}

/** For nsd(8), which finds its zones in `directory` and keeps its own files in `run` below it. */
export function configuration(directory: string, port: number, zones: readonly string[]): string {
  const file = (name: string) => `"${join(directory, 'run', name)}"`
  const server = [
    'server:',
    `  ip-address: 127.0.0.1@${port}`,
    '  server-count: 1',
    '  username: ""',
    '  chroot: ""',
    '  zonesdir: ""',
    '  zonefiles-check: yes',
    `  pidfile: ${file('nsd.pid')}`,
    `  database: ""`,
    `  xfrdfile: ${file('xfrd.state')}`,
    `  xfrdir: "${join(directory, 'run')}"`,
    `  zonelistfile: ${file('zone.list')}`,
    'remote-control:',
    '  control-enable: no',
  ]
  const parts = zones.flatMap((zone) => ['zone:', `  name: "${zone}"`, `  zonefile: "${join(directory, zone)}.zone"`])
  return `${[...server, ...parts].join('\n')}\n`
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
