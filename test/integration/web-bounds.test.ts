/** The bounds of what tenants and visitors make the web server write, with real nginx and PHP: docs/bounds.md. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { ask, httpPort, until, WebMachine } from './web-machine.ts'

const host = 'acme.example.com'
const neighbour = 'other.example.net'
const megabyte = 1 << 20
/** FCGI_STDERR (7) of FastCGI 1.0, eight bytes in each record. */
const flood = `<?php
$flood = str_repeat("\\x01\\x07\\0\\x01\\0\\x08\\0\\0" . 'overflow', 4096);
foreach (glob('/proc/self/fd/*') as $link) {
  if (!str_starts_with((string) @readlink($link), 'socket:')) continue;
  $connection = fopen('php://fd/' . basename($link), 'w');
  for ($sent = 0; $bytes = @fwrite($connection, $flood); $sent += $bytes) {
    if ($sent > 1 << 28) @touch('/tmp/sent');
  }
}`
let machine: WebMachine
let acme: FpmStart

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  const other = machine.addTenant('other', 21_002)
  machine.addSite(acme, host, {
    'index.php': '<?php echo md5_file("php://input");',
    'child.php': flood,
    'flood.php': `<?php $child = proc_open(['/usr/bin/php', __DIR__ . '/child.php'], [], $pipes); sleep(60);`,
    'large.php': '<?php $mb = str_repeat("x", 1 << 20); for ($n = 0; $n < 300; $n++) echo $mb;',
  })
  machine.addSite(other, neighbour, { 'index.php': '<?php echo "neighbour";' })
  await ask(neighbour, '/')
})

afterAll(() => machine?.shutDown())

describe('a child of PHP that floods standard error on the connection it inherited', () => {
  let attack: ReturnType<typeof get>

  function begin(): void {
    const headers = { host }
    attack = get({ host: '127.0.0.1', port: httpPort, path: `/flood.php?${'q'.repeat(1500)}`, headers, agent: false })
    attack.on('error', () => {}) // it is never answered
  }

  async function end(): Promise<void> {
    attack.destroy()
    await machine.services.stopFpm(acme.name)
  }

  it('is read without a line about it, and others are heard beside it', async () => {
    const before = logBytes()
    begin()
    const sent = join(machine.places.customers.tmp(acme.name), 'sent')
    await until(() => existsSync(sent), 20_000)

    expect((await ask(neighbour, '/missing.php?heard')).status).toBe(404)
    expect((await ask(neighbour, '/')).body).toBe('neighbour')
    await until(() => machine.accessLog().some((line) => line.includes('/missing.php?heard')))
    await end()
    expect(machine.errorLog()).not.toContain('FastCGI sent in stderr')
    expect(logBytes() - before).toBeLessThan(16 * 1024)
  })

  it('adds nothing while the writer of the log is stopped, nor when it is gone', async () => {
    for (const end of ['SIGSTOP', 'SIGKILL'] as const) {
      process.kill(machine.webLogPid, end) // a stopped one can be killed as well
      const before = logBytes()
      begin()
      await until(() => machine.processesOf(acme.uid).length > 2)
      await sleep(1000)

      expect((await ask(neighbour, '/')).body).toBe('neighbour')
      expect(logBytes() - before).toBeLessThan(16 * 1024)
      attack.destroy()
      await machine.services.stopFpm(acme.name)
    }
    await machine.endWebLog()
    machine.startWebLog()
    await ask(neighbour, '/heard-again.php')
    await until(() => machine.accessLog().some((line) => line.includes('/heard-again')))
  })
})

describe('the log of requests', () => {
  it('has so many lines a second of one site, while all of them are served', async () => {
    const before = machine.accessLog().length
    let served = 0
    for (let round = 0; round < 40; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => ask(host, '/missing.txt?many')))
      served += answers.filter(({ status }) => status === 404 || status === 200).length
    }
    await sleep(500)

    expect(served).toBe(4000)
    const lines = machine.accessLog().length - before
    expect(lines).toBeGreaterThan(500)
    expect(lines).toBeLessThan(4000)
  })

  it('cuts what a visitor chooses, so that a line fits into a datagram', async () => {
    const long = '\u0001'.repeat(15_000)
    await rawRequest(
      `GET /cut?${'%01'.repeat(5000)} HTTP/1.1\r\nHost: ${neighbour}\r\nReferer: ${long}\r\nUser-Agent: ${long}\r\n`,
    )

    const line = await until(() => machine.accessLog().findLast((text) => text.includes('/cut?')))
    expect(line.length).toBeLessThan(16_000)
    expect(readFileSync(join(machine.places.logs, 'nginx.log'), 'utf8')).not.toContain('syslog')
  })
})

describe('what nginx keeps in files', () => {
  it('is nothing of a large answer that is read slowly, and the answer is whole', async () => {
    let read = 0
    const readers = Array.from({ length: 4 }, () => {
      const socket = connect({ host: '127.0.0.1', port: httpPort })
      socket.write(`GET /large.php HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      return socket
    })
    const [first] = readers
    first?.on('data', (chunk) => {
      read += chunk.length
    })
    await Promise.all(readers.map((socket) => new Promise((resolve) => socket.once('data', resolve))))
    for (const socket of readers) socket.pause()
    await sleep(1000)

    expect(spooled()).toBe(0)

    first?.resume()
    await new Promise((resolve) => first?.once('close', resolve))
    expect(read).toBeGreaterThan(300 * megabyte)
    for (const socket of readers) socket.destroy()
  })

  it('takes four large bodies of a site at once, refuses the next, and takes others', async () => {
    const uploads = Array.from({ length: 8 }, () => unfinished(host, 20 * megabyte, 10 * megabyte))
    const answers = await Promise.all(uploads.map(({ refusal }) => refusal))

    expect(answers.filter((status) => status === 429)).toHaveLength(4)
    expect(spooled()).toBeGreaterThan(30 * megabyte)
    expect(spooled()).toBeLessThanOrEqual(4 * 20 * megabyte)
    expect((await ask(host, '/', { method: 'POST', body: Buffer.alloc(1000, 'x') })).status).toBe(200)
    await until(() => machine.accessLog().some((line) => line.includes('"status":429')))
    for (const { socket } of uploads) socket.destroy()
    await until(() => spooled() === 0)
  })

  it('counts a body without a length as a large one', async () => {
    const uploads = Array.from({ length: 6 }, () => unfinished(host, undefined, megabyte))
    const answers = await Promise.all(uploads.map(({ refusal }) => refusal))

    expect(answers.filter((status) => status === 429)).toHaveLength(2)
    for (const { socket } of uploads) socket.destroy()
    await until(() => spooled() === 0)
  })

  it('takes a body of 100 MB whole', async () => {
    const body = Buffer.alloc(100 * megabyte, 'wcp360 ')

    const answer = await ask(host, '/', {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/octet-stream' },
    })

    expect(answer).toMatchObject({ status: 200, body: createHash('md5').update(body).digest('hex') })
  })
})

/** Bytes of every log that nginx causes. */
function logBytes(): number {
  const { logs, webLogs } = machine.places
  return [logs, webLogs]
    .flatMap((directory) => readdirSync(directory).map((name) => statSync(join(directory, name))))
    .filter((stat) => stat.isFile())
    .reduce((sum, { size }) => sum + size, 0)
}

/** Bytes of files that nginx's workers hold and that have no name. */
function spooled(): number {
  const master = readFileSync(machine.places.nginxPid, 'utf8').trim()
  const workers = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ')
  const held = workers.flatMap((pid) =>
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const path = `/proc/${pid}/fd/${fd}`
      if (!existsSync(`/proc/${pid}`)) return []
      try {
        return readlinkSync(path).endsWith(' (deleted)') ? [statSync(path).size] : []
      } catch {
        return [] // closed meanwhile
      }
    }),
  )
  return held.reduce((sum, size) => sum + size, 0)
}

/** A body that lacks its end. `refusal`: the status that comes before that, or undefined after all was taken that was sent. */
function unfinished(
  name: string,
  length: number | undefined,
  sent: number,
): { socket: Socket; refusal: Promise<number | undefined> } {
  const socket = connect({ host: '127.0.0.1', port: httpPort })
  const size = length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  socket.write(`POST / HTTP/1.1\r\nHost: ${name}\r\n${size}\r\n\r\n`)
  if (length === undefined) socket.write(`${sent.toString(16)}\r\n`)
  const refusal = new Promise<number | undefined>((resolve) => {
    socket.on('error', () => {}) // ended after the refusal
    socket.once('data', (text) => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(String(text))?.[1])))
    socket.write(Buffer.alloc(sent, 'x'), () => void sleep(1500).then(() => resolve(undefined)))
  })
  return { socket, refusal }
}

function rawRequest(head: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: httpPort }, () =>
      socket.write(`${head}Connection: close\r\n\r\n`, 'latin1'),
    )
    socket
      .on('error', reject)
      .on('close', () => resolve())
      .resume()
  })
}
