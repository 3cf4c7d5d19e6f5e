/** The web server of this machine, asked as a visitor asks it: one request, of which the head alone is read. */
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { checkServerIdentity, connect } from 'node:tls'
import type { Context } from '../../resources/context.ts'
import type { Shown, Visit } from '../../resources/domain/visit.ts'

export interface OwnWebOptions {
  readonly httpPort: number
  readonly httpsPort: number
  readonly dnsServers: readonly string[]
}

const address = '127.0.0.1'
const patienceMs = 5000

export function ownWeb(options: () => OwnWebOptions): Context['web'] {
  return {
    get nameServers() {
      return options().dnsServers
    },
    visit: (host, way) => visit(host, way, options()),
    shown: (host) => shown(host, options()),
  }
}

function visit(host: string, way: 'http' | 'https', { httpPort, httpsPort }: OwnWebOptions): Promise<Visit> {
  const common: RequestOptions = {
    host: address,
    path: '/',
    agent: false,
    headers: { host, 'user-agent': 'wcp360-check', connection: 'close' },
    signal: AbortSignal.timeout(patienceMs),
  }
  const asked =
    way === 'http'
      ? httpRequest({ ...common, port: httpPort })
      : // whose certificate it is, is looked at by itself
        httpsRequest({ ...common, port: httpsPort, servername: host, rejectUnauthorized: false })
  return new Promise((resolve) => {
    asked.on('response', (answer) => {
      answer.destroy()
      const { location = '' } = answer.headers
      const toHttps = (answer.statusCode ?? 0) >= 300 && location.startsWith(`https://${host}`)
      resolve({ status: answer.statusCode ?? 0, toHttps })
    })
    asked.on('error', (error) => resolve({ failure: reasonOf(error) }))
    asked.on('close', () => resolve({ failure: 'closed' }))
    asked.end()
  })
}

function shown(host: string, { httpsPort }: OwnWebOptions): Promise<Shown> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: httpsPort, servername: host, rejectUnauthorized: false })
    const end = (found: Shown) => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(patienceMs, () => end(null))
    socket.on('error', () => end(null))
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerCertificate()
      const until = Date.parse(certificate.valid_to)
      if (Number.isNaN(until)) return end(null)
      const names = checkServerIdentity(host, certificate) === undefined
      end({ names, validTo: new Date(until).toISOString() })
    })
  })
}

/** `refused`, `closed` without an answer, or the code of the failure. */
function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.name
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ECONNRESET') return 'closed'
  return error.name === 'AbortError' || error.name === 'TimeoutError' ? 'timeout' : code
}
