/**
 * Pebble, Let's Encrypt's small authority for tests, in its strict mode and with rejected nonces, behind a proxy that has
 * the bad days of an authority: refusals, failures, another's chain.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { localCertificate } from './local-certificate.ts'

export interface PebbleOptions {
  readonly port: number
  readonly proxyPort: number
  readonly httpPort: number
  readonly dns: string
  /** What else the directory is to say. */
  readonly directory: (body: string) => string
  /** Per cent. */
  readonly rejectedNonces?: number
  /** Per cent of proofs that count for later orders as well; Pebble's own choice unless told. */
  readonly reusedProofs?: number
  /** Whom alone it gives accounts. */
  readonly binding?: { readonly kid: string; readonly key: string }
}

/** Answers instead of the authority; undefined hands the request on. */
export type Mood = (request: { method: string; path: string }) => Answer | undefined
export interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}
/** Changes what the authority answers. */
export type Twist = (request: { method: string; path: string }, body: string) => string

export class Pebble {
  readonly #directory = mkdtempSync(join(tmpdir(), 'wcp-pebble-'))
  readonly #options: PebbleOptions
  readonly #own = localCertificate()
  #process: ChildProcess | undefined
  #proxy: Server | undefined
  #output = ''
  mood: Mood = () => undefined
  twist: Twist = (_, body) => body
  /** What it was asked, since the last `forget`, without what it rejected for the nonce alone: that is asked once more. */
  readonly asked: string[] = []

  private constructor(options: PebbleOptions) {
    this.#options = options
  }

  static async start(options: PebbleOptions): Promise<Pebble> {
    const pebble = new Pebble(options)
    await pebble.#begin()
    return pebble
  }

  /** Of the directory, by the proxy. */
  get directory(): string {
    return `https://127.0.0.1:${this.#options.proxyPort}/dir`
  }

  /** By whom the proxy is known; readable by everybody. */
  get caFile(): string {
    return join(this.#directory, 'tls.crt')
  }

  get output(): string {
    return this.#output
  }

  count(path: string): number {
    return this.asked.filter((one) => one.endsWith(path)).length
  }

  forget(): void {
    this.asked.length = 0
    this.mood = () => undefined
    this.twist = (_, body) => body
  }

  async stop(): Promise<void> {
    this.#proxy?.closeAllConnections()
    this.#proxy?.close()
    const server = this.#process
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #begin(): Promise<void> {
    const { port, httpPort, dns, rejectedNonces = 30, reusedProofs = 50, binding } = this.#options
    execFileSync('/bin/chmod', ['755', this.#directory])
    writeFileSync(join(this.#directory, 'tls.crt'), this.#own.cert)
    writeFileSync(join(this.#directory, 'tls.key'), this.#own.key)
    const config = {
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        certificate: join(this.#directory, 'tls.crt'),
        privateKey: join(this.#directory, 'tls.key'),
        httpPort,
        tlsPort: 1,
        ocspResponderURL: '',
        externalAccountBindingRequired: binding !== undefined,
        externalAccountMACKeys: binding === undefined ? {} : { [binding.kid]: binding.key },
      },
    }
    writeFileSync(join(this.#directory, 'config.json'), JSON.stringify(config))
    const argv = ['-config', join(this.#directory, 'config.json'), '-strict', '-dnsserver', dns]
    const reuse = { PEBBLE_AUTHZREUSE: String(reusedProofs) }
    const env = { PEBBLE_WFE_NONCEREJECT: String(rejectedNonces), PEBBLE_VA_NOSLEEP: '1', ...reuse }
    const server = spawn('/usr/bin/pebble', argv, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (this.#output += chunk))
    this.#process = server
    this.#proxy = createServer({ key: this.#own.key, cert: this.#own.cert }, (asked, answer) => {
      this.#pass(asked, answer).catch(() => answer.destroy())
    }).listen(this.#options.proxyPort, '127.0.0.1')
    await once(this.#proxy, 'listening')
    while (!(await this.#isUp())) {
      if (server.exitCode !== null) throw new Error(`pebble has ended: ${this.#output}`)
      await pause(20)
    }
  }

  async #isUp(): Promise<boolean> {
    return await this.#ask('GET', '/dir', {}, '').then(
      ({ status }) => status === 200,
      () => false,
    )
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = asked
    let body = ''
    for await (const part of asked) body += part
    const own = this.mood({ method, path })
    if (own !== undefined) {
      this.asked.push(`${method} ${path}`)
      answer.writeHead(own.status, own.headers)
      answer.end(own.body)
      return
    }
    const { status, headers, text } = await this.#ask(method, path, asked.headers, body)
    if (!text.includes('badNonce')) this.asked.push(`${method} ${path}`)
    const { 'content-length': _, ...kept } = headers
    answer.writeHead(status, kept)
    answer.end(status === 200 ? this.#twisted(method, path, text) : text)
  }

  #twisted(method: string, path: string, text: string): string {
    return this.twist({ method, path }, path === '/dir' ? this.#options.directory(text) : text)
  }

  /** With the proxy's own name, which Pebble writes into its addresses. */
  async #ask(method: string, path: string, headers: object, body: string) {
    const host = `127.0.0.1:${this.#options.proxyPort}`
    const call = request({
      ...{ host: '127.0.0.1', port: this.#options.port, method, path, agent: false },
      headers: { ...headers, host },
      ca: readFileSync(this.caFile),
    })
    const answered = once(call, 'response')
    call.end(body)
    const [response] = (await answered) as [IncomingMessage]
    let text = ''
    for await (const part of response) text += part
    return { status: response.statusCode ?? 500, headers: response.headers, text }
  }
}
