/** System calls of a running process that fail, as strace(1) makes them: nothing in the product knows. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './world.ts'

export interface Injection {
  /** Calls that were made to fail so far. */
  count(): number
  /** From now on everything works again. */
  end(): Promise<void>
}

/**
 * @param rule the part of strace's `-e inject=` after the names: `error=EIO:when=3`
 * @returns when the first thread is traced
 */
export async function inject(pid: number, calls: string, rule: string): Promise<Injection> {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-strace-'))
  const output = join(directory, 'calls')
  const argv = [
    '-f',
    '-o',
    output,
    '-e',
    `trace=${calls}`,
    '-e',
    'signal=none',
    '-e',
    `inject=${calls}:${rule}`,
    '-p',
    `${pid}`,
  ]
  const strace: ChildProcess = spawn('/usr/bin/strace', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  strace.stderr?.on('data', (chunk) => (said += chunk))
  await until('strace is attached', () => said.includes('attached') || strace.exitCode !== null)
  return {
    count: () => readFileSync(output, 'utf8').split('(INJECTED').length - 1,
    async end() {
      if (strace.exitCode === null && strace.signalCode === null) {
        const ended = once(strace, 'exit')
        strace.kill('SIGINT')
        await ended
      }
      rmSync(directory, { recursive: true })
    },
  }
}
