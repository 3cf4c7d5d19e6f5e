/** How long the first visitor waits whose request starts the panel. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openListenSocket } from '../src/agent/os/listen-socket.ts'
import { executable } from '../test/support/executable.ts'
import { type Bench, percentile } from './bench.ts'
import { ofServer } from './needs.ts'
import { Server } from './server.ts'

const runs = 9

export const panel: Bench = {
  name: 'panel',
  needs: ofServer,
  summary: 'start of the panel until its first answer over TLS',
  async run() {
    const server = await Server.start()
    const directory = mkdtempSync(join(tmpdir(), 'wcp-bench-panel-'))
    try {
      cpSync(server.places.panelCredentials, join(directory, 'credentials'), { recursive: true })
      const config = join(directory, 'credentials/config.yaml')
      const port = server.ports.panel + 1
      writeFileSync(config, readFileSync(config, 'utf8').replace(/listen: .*/, `listen: 127.0.0.1:${port}`))
      const door: Door = { port, descriptor: openListenSocket({ host: '127.0.0.1', port }) }
      await firstAnswer(directory, door) // makes the store
      const answers: Answer[] = []
      for (let run = 0; run < runs; run++) answers.push(await firstAnswer(directory, door))
      const median = (pick: (answer: Answer) => number) => percentile(answers.map(pick), 50)
      return [
        { name: 'panel: start to first answer, median', value: median(({ ms }) => ms), unit: 'ms', target: '<= 200' },
        {
          name: 'panel: processor time until the first answer, median',
          value: median(({ cpuMs }) => cpuMs),
          unit: 'ms',
          target: null,
        },
      ]
    } finally {
      await server.dispose()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

/** The panel's port, open before the panel starts, as systemd or the agent hands it over: the request waits in its backlog. */
interface Door {
  readonly port: number
  readonly descriptor: number
}

interface Answer {
  readonly ms: number
  readonly cpuMs: number
}

async function firstAnswer(directory: string, { port, descriptor }: Door): Promise<Answer> {
  const started = performance.now()
  const child = spawn(executable(), ['panel'], {
    stdio: ['ignore', 'ignore', 'inherit', descriptor],
    env: {
      CREDENTIALS_DIRECTORY: join(directory, 'credentials'),
      STATE_DIRECTORY: directory,
      RUNTIME_DIRECTORY: directory,
      LISTEN_FDS: '1',
    },
  })
  try {
    await Promise.race([ask(port), diedEarly(child)])
    return { ms: performance.now() - started, cpuMs: processorTime(child.pid ?? -1) }
  } finally {
    await ended(child)
  }
}

/** Any answer counts: without an agent the panel says what it waits for. */
function ask(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const options = { host: '127.0.0.1', port, path: '/login', rejectUnauthorized: false, agent: false as const }
  request({ ...options, timeout: 30_000 }, (response) => {
    response.resume()
    response.on('end', resolve)
  })
    .on('timeout', () => reject(new Error('the panel did not answer')))
    .on('error', reject)
    .end()
  return promise
}

async function diedEarly(child: ChildProcess): Promise<never> {
  await once(child, 'exit')
  throw new Error('the panel did not start; its words are above')
}

/** Milliseconds of all threads that live; the first number of schedstat is nanoseconds on a processor. */
export function processorTime(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
