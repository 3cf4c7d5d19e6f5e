/** How long the first visitor waits whose request starts the panel. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, percentile } from './bench.ts'
import { executable } from './executable.ts'
import { Server } from './server.ts'

const runs = 9

export const panel: Bench = {
  name: 'panel',
  summary: 'start of the panel until its first answer over TLS',
  async run() {
    const server = await Server.start()
    const directory = mkdtempSync(join(tmpdir(), 'wcp-bench-panel-'))
    try {
      cpSync(server.places.panelCredentials, join(directory, 'credentials'), { recursive: true })
      const config = join(directory, 'credentials/config.yaml')
      const port = server.ports.panel + 1
      writeFileSync(config, readFileSync(config, 'utf8').replace(/listen: .*/, `listen: 127.0.0.1:${port}`))
      await firstAnswer(directory, port) // makes the store
      const samples: number[] = []
      for (let run = 0; run < runs; run++) samples.push(await firstAnswer(directory, port))
      return [
        { name: 'panel: start to first answer, median', value: percentile(samples, 50), unit: 'ms', target: '<= 200' },
      ]
    } finally {
      await server.dispose()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

async function firstAnswer(directory: string, port: number): Promise<number> {
  const started = performance.now()
  const child = spawn(executable(), ['panel'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      CREDENTIALS_DIRECTORY: join(directory, 'credentials'),
      STATE_DIRECTORY: directory,
      RUNTIME_DIRECTORY: directory,
    },
  })
  try {
    while ((await ask(port)) === undefined) {
      if (child.exitCode !== null || performance.now() - started > 30_000)
        throw new Error('the panel did not start; its words are above')
      await sleep(1)
    }
    return performance.now() - started
  } finally {
    await ended(child)
  }
}

function ask(port: number): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const options = { host: '127.0.0.1', port, path: '/login', rejectUnauthorized: false, agent: false as const }
  request(options, (response) => {
    response.resume()
    response.on('end', () => resolve(response.statusCode))
  })
    .on('error', () => resolve(undefined))
    .end()
  return promise
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
