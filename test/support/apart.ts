/**
 * A pool of vitest in which each test file has network and processes of its own (namespaces(7)), so that files which start
 * servers on the same ports, or count the processes of the same uid, run side by side. It needs root.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, WorkerRequest } from 'vitest/node'

/** The first process of a namespace has to take up its orphans, which Node does not and bash does. */
const firstProcess = ['bash', '-c', 'ip link set lo up; "$@"; exit $?', 'bash', process.execPath]
const inNamespaces = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child', ...firstProcess]

/** Program and first arguments of a Node that has network and processes of its own. */
export const nodeApart = { file: '/usr/bin/unshare', words: inNamespaces }

class ApartWorker implements PoolWorker {
  readonly name = 'apart'
  readonly cacheFs = true
  readonly #options: PoolOptions
  #child: ChildProcess | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { distPath, env, execArgv } = this.#options
    this.#child ??= fork(join(distPath, 'workers/forks.js'), [], {
      env: { ...env },
      execPath: nodeApart.file,
      execArgv: [...nodeApart.words, ...execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
  }

  /** With the namespace end all of its processes. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  on(event: string, callback: (...values: unknown[]) => void): void {
    this.#child?.on(event, callback)
  }

  off(event: string, callback: (...values: unknown[]) => void): void {
    this.#child?.off(event, callback)
  }

  send(message: WorkerRequest): void {
    this.#child?.send(message)
  }

  deserialize(data: unknown): unknown {
    return data
  }
}

export const apart: PoolRunnerInitializer = {
  name: 'apart',
  createPoolWorker: (options) => new ApartWorker(options),
}
