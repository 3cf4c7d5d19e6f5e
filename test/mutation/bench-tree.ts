/** A copy of the checkout in which one source file at a time is changed, and the test files that are run there. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Order, Verdict } from './test-runner.ts'

export class BenchTree implements AsyncDisposable {
  readonly #top = mkdtempSync(join(tmpdir(), 'wcp360-mutation-'))
  /** What the runner of tests may still hold as it was. */
  readonly #changed = new Set<string>()
  #runner: ChildProcess | null = null

  constructor(repository: string) {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: repository,
      encoding: 'utf8',
    })
    for (const path of listed.split('\0').filter((path) => path !== '' && existsSync(join(repository, path))))
      cpSync(join(repository, path), join(this.#top, path), { recursive: true })
    symlinkSync(join(repository, 'node_modules'), join(this.#top, 'node_modules'))
  }

  read(path: string): string {
    return readFileSync(join(this.#top, path), 'utf8')
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.#top, path), text)
    this.#changed.add(path)
  }

  /** @returns why the test file failed, `hung` when it did not end in time; null when it passed */
  async run(test: string, mostMs: number): Promise<string | null> {
    const runner = await this.#ready()
    const over = new AbortController()
    try {
      runner.send({ changed: [...this.#changed], test } satisfies Order)
      this.#changed.clear()
      const [first] = await Promise.race([
        once(runner, 'message', { signal: over.signal }),
        once(runner, 'exit', { signal: over.signal }).then(() => [{ failed: `${test}: the run ended early` }]),
        pause(mostMs, [{ failed: `${test}: hung` }], { signal: over.signal }),
      ])
      const { failed } = first as Verdict
      if (/: hung$|: the run ended early$/.test(failed ?? '')) await this.#end()
      return failed
    } finally {
      over.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
    rmSync(this.#top, { recursive: true, force: true })
  }

  async #ready(): Promise<ChildProcess> {
    if (this.#runner?.connected) return this.#runner
    const runner = fork(join(this.#top, 'test/mutation/test-runner.ts'), {
      cwd: this.#top,
      detached: true, // so that it ends with all that its tests have started
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#runner = runner
    await Promise.race([
      once(runner, 'message'),
      once(runner, 'exit').then(() => Promise.reject(new Error('Cannot start the runner of tests'))),
    ])
    return runner
  }

  async #end(): Promise<void> {
    const runner = this.#runner
    this.#runner = null
    if (runner?.pid === undefined || runner.exitCode !== null || runner.signalCode !== null) return
    const ended = once(runner, 'exit')
    process.kill(-runner.pid, 'SIGKILL')
    await ended
  }
}
