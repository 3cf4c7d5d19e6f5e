/** Crowds of connections, and who may read what the web server's workers read. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, isIPv6, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { ask, httpPort, httpsPort, until, WebMachine } from './web-machine.ts'

const attacked = 'attacked.example.com'
const quiet = 'quiet.example.com'
const perAddress = 256

let machine: WebMachine
let acme: FpmStart
const open: Socket[] = []

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  machine.addSite(acme, attacked, { 'index.php': '<?php echo "attacked";', 'a.txt': 'a'.repeat(4000) })
  machine.addSite(machine.addTenant('quiet', 21_002), quiet, { 'index.php': '<?php echo "quiet";' })
  await ask(quiet, '/')
})
afterAll(async () => {
  await machine?.shutDown()
})
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

describe('slow bodies', () => {
  it('2,000 from eight addresses leave another site as it was', async () => {
    await Promise.all(Array.from({ length: 2000 }, (_, index) => slowPost(`127.0.0.${2 + (index % 8)}`)))

    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(quiet, '/')))

    const later = await Promise.all(Array.from({ length: 6 }, () => ask(quiet, '/'))) // all that was sent is read by now

    expect([...answers, ...later].map(({ status, body }) => [status, body])).toEqual(Array(12).fill([200, 'quiet']))
    // none had to go for want of room, as then anybody's would
    expect(open.filter(({ destroyed }) => !destroyed)).toHaveLength(2000)
  })

  it('from one address are refused above its share, and other addresses are not', async () => {
    const answers = await Promise.all(
      Array.from({ length: perAddress + 50 }, async () => firstLine(await slowPost('127.0.0.2'))),
    )
    const refused = () => answers.filter((answer) => answer.text.startsWith('HTTP/1.1 429 ')).length
    await until(() => refused() >= 50)

    expect(refused()).toBe(50)
    expect((await ask(attacked, '/', { localAddress: '127.0.0.2' })).status).toBe(429)
    expect((await ask(attacked, '/')).status).toBe(200)
  })

  it('of one IPv6 network count together', async () => {
    await Promise.all(Array.from({ length: perAddress }, () => slowPost('::1')))
    // Some may be refused while the server still counts the connections of before: another takes the place.
    await until(async () => {
      await slowPost('::1')
      return (await ask(attacked, '/', { host: '::1' })).status === 429
    })

    expect((await ask(attacked, '/')).status).toBe(200)
  })
})

it('one browser may ask for as many files at once as HTTP/2 lets it', async () => {
  const session = connectHttp2(`https://127.0.0.1:${httpsPort}`, { servername: attacked, rejectUnauthorized: false })
  const statuses = await Promise.all(
    Array.from({ length: 120 }, async () => {
      const stream = session.request({ ':path': '/a.txt', ':authority': attacked }).resume()
      const [headers] = await once(stream, 'response')
      return headers[':status']
    }),
  )
  session.close()

  expect(statuses).toEqual(Array(120).fill(200))
})

describe('another program of the group www-data', () => {
  const asWww = (...argv: string[]) => {
    const [file = '', ...rest] = argv
    try {
      return execFileSync(file, rest, { uid: 33, gid: 33, encoding: 'utf8', stdio: 'pipe' })
    } catch (error) {
      return String(Reflect.get(Object(error), 'stderr'))
    }
  }

  it('reads no key', () => {
    const { defaultTls, keyFile } = machine.places.web

    expect(asWww('/usr/bin/cat', join(defaultTls, keyFile))).toContain('Permission denied')
  })

  it("reaches no tenant's PHP and no waker", async () => {
    await ask(attacked, '/')
    const script = `for (const path of process.argv.slice(1))
      require('net').connect(path).on('connect', () => console.log('in')).on('error', (error) => console.log(error.code))`
    const sockets = [machine.places.fpmSocket(acme.name), machine.places.wakeSocket]

    expect(asWww(process.execPath, '-e', script, ...sockets)).toBe('EACCES\nEACCES\n')
  })
})

const slowHead = `POST / HTTP/1.1\r\nHost: ${attacked}\r\nContent-Length: 60000\r\n\r\nx`

/** To the loopback address of the same family. */
async function slowPost(localAddress: string): Promise<Socket> {
  const socket = connect({ host: isIPv6(localAddress) ? '::1' : '127.0.0.1', port: httpPort, localAddress })
  open.push(socket)
  socket.on('error', () => {}) // what is refused may be reset
  await once(socket, 'connect')
  socket.write(slowHead)
  return socket
}

function firstLine(socket: Socket): { text: string } {
  const seen = { text: '' }
  socket.setEncoding('utf8').on('data', (chunk) => {
    seen.text += chunk
  })
  return seen
}
