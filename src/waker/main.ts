/**
 * The waker: nginx asks it for a site whose PHP is asleep, it asks the agent, and nginx then sends the request it holds to
 * PHP. Unprivileged, without state and without packages: it serves while the panel is down, and the root side never listens.
 *
 *     waker WAKE-SOCKET AGENT-SOCKET HOSTS
 */
import { readlinkSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { encodeFrame, FrameDecoder } from '../contract/frame.ts'
import { isHost, parseWakeAnswer } from '../contract/wake.ts'
import { Wakes } from './wakes.ts'

const agentPatienceMs = 20_000

export async function main(argv: readonly string[]): Promise<number | undefined> {
  const [wakeSocket, agentSocket, hosts, ...rest] = argv
  if (!wakeSocket?.startsWith('/') || !agentSocket?.startsWith('/') || !hosts?.startsWith('/') || rest.length > 0) {
    process.stderr.write('usage: waker WAKE-SOCKET AGENT-SOCKET HOSTS\n')
    return 2
  }
  const waker = await startWaker(wakeSocket, agentSocket, hosts)
  process.once('SIGTERM', () => waker.close())
  process.once('SIGINT', () => waker.close())
  return undefined
}

/** @param hosts the web server's routing table, whose links tell which tenant a host belongs to */
export async function startWaker(wakeSocket: string, agentSocket: string, hosts: string): Promise<{ close(): void }> {
  let agent: Socket | undefined
  const wakes = new Wakes({
    ask: (wake) => void agent?.write(encodeFrame({ wake })),
    patienceMs: agentPatienceMs,
    maxHosts: 2000,
    tenantOf: (host) => tenantOf(hosts, host),
    ofTenant: { maxHosts: 32, maxRequests: 512 },
  })

  /** The last one to dial is the agent: its directory lets nobody else in. */
  const agents = createServer((socket) => {
    agent?.destroy()
    agent = socket
    const decoder = new FrameDecoder()
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => {
      if (agent === socket) agent = undefined
    })
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const value of decoder.push(chunk)) wakes.answer(orThrow(parseWakeAnswer(value)))
      } catch (error) {
        process.stderr.write(`the agent broke the grammar: ${error instanceof Error ? error.message : error}\n`)
        socket.destroy()
      }
    })
    wakes.askAgain()
  })

  const requests = createHttpServer({ keepAlive: false, maxHeaderSize: 4096 }, async (request, response) => {
    const host = request.url?.slice(1)
    const reply = isHost(host) ? await wakes.request(host) : { status: 404, headers: {} }
    response.writeHead(reply.status, reply.headers).end()
  })

  await listen(agents, agentSocket)
  // Open to all from its first moment, as nginx never asks twice: its directory lets only the web server's group in.
  const usual = process.umask(0o111)
  const listening = listen(requests, wakeSocket)
  process.umask(usual)
  await listening
  return {
    close() {
      requests.close()
      agents.close()
      agent?.destroy()
      requests.closeIdleConnections()
    },
  }
}

/** `hosts/<name>` → `../tenants/<tenant>/sites/<fqdn>`; hosts that lead nowhere share one place. */
function tenantOf(hosts: string, host: string): string {
  try {
    return /^\.\.\/tenants\/([^/]+)\//.exec(readlinkSync(join(hosts, host)))?.[1] ?? ''
  } catch {
    return ''
  }
}

function orThrow<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an answer of unknown shape')
  return value
}

function listen(server: import('node:net').Server, path: string): Promise<void> {
  rmSync(path, { force: true })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}
