import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpLine } from './http-line.ts'
import { outcomeOf } from './outcome.ts'

let server: Server | undefined
let line: HttpLine
const sockets = new Set<Socket>()

afterEach(() => {
  line.close()
  for (const socket of sockets) socket.destroy()
  server?.close()
})

/** @param answers by host; '' closes the connection, as nginx does for a name without a site */
async function serve(answers: Readonly<Record<string, string>>): Promise<{ connections: number }> {
  const count = { connections: 0 }
  server = createServer((socket) => {
    count.connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const answer = answers[/Host: (\S+)/.exec(bytes.toString('latin1'))?.[1] ?? ''] ?? ''
      if (answer === '') socket.destroy()
      else for (const part of answer.match(/[\s\S]{1,7}/g) ?? []) socket.write(part)
    })
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  line = new HttpLine(() => (typeof address === 'object' && address !== null ? address.port : 0))
  return count
}

const head = (status: string, more = '') =>
  `HTTP/1.1 ${status}\r\nServer: nginx\r\n${more}Connection: keep-alive\r\n\r\n`

describe('one connection for all sites', () => {
  it('is asked for one after the other, and tells what each answer means', async () => {
    const seen = await serve({
      'a.example': head('204 No Content'),
      'moved.example': head('308 Permanent Redirect', 'Location: https://moved.example/\r\n'),
      'suspended.example': head('503 Service Unavailable', 'Retry-After: 3600\r\n'),
      'maintained.example': head('503 Service Unavailable', 'Retry-After: 600\r\n'),
      'broken.example': head('503 Service Unavailable'),
      'php.example': head('502 Bad Gateway'),
    })

    const states: string[] = []
    for (const host of ['a', 'moved', 'suspended', 'maintained', 'broken', 'php'])
      states.push(outcomeOf(await line.ask(`${host}.example`)).state)

    expect(states).toEqual(['up', 'up', 'closed', 'closed', 'down', 'down'])
    expect(seen.connections).toBe(1)
  })

  it('is made anew after a site that the web server does not know, whose neighbours do not suffer', async () => {
    await serve({ 'a.example': head('204 No Content'), 'b.example': head('204 No Content') })

    const answers = []
    for (const host of ['a', 'gone', 'b']) answers.push(await line.ask(`${host}.example`))

    expect(answers).toMatchObject([{ status: 204 }, { failure: 'closed' }, { status: 204 }])
    expect(outcomeOf(answers[1] as never)).toMatchObject({ state: 'down', problem: 'the web server has no such site' })
  })

  it('says when nobody listens', async () => {
    line = new HttpLine(() => 1)

    expect(await line.ask('a.example')).toEqual({ failure: 'refused' })
  })

  it('believes no answer that is none', async () => {
    await serve({ 'a.example': 'SSH-2.0-OpenSSH\r\n\r\n', 'b.example': `HTTP/1.1 200 OK\r\n${'x'.repeat(40_000)}` })

    expect(await line.ask('a.example')).toEqual({ failure: 'malformed' })
    expect(await line.ask('b.example')).toEqual({ failure: 'malformed' })
  })
})
