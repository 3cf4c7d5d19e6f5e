/** System calls of a running process that fail, as strace(1) makes them: nothing in the product knows. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './world.ts'

export interface Observation {
  /** The calls that were made so far, one line each. */
  lines(): readonly string[]
  /** @returns the same; from now on nothing is watched. */
  end(): Promise<readonly string[]>
}

export interface Injection extends Observation {
  /** Calls that were made to fail, or to wait, so far. */
  count(): number
}

/** Watches calls of a process and of all that it starts; resolves when it is attached. */
export function observe(pid: number, calls: string): Promise<Observation> {
  return trace(pid, ['-e', `trace=${calls}`])
}

/**
 * @param rule the part of strace's `-e inject=` after the names: `error=EIO:when=3`; counted for each thread
 * @param path calls on this file alone, also through a descriptor; every call unless told
 */
export async function inject(pid: number, calls: string, rule: string, path?: string): Promise<Injection> {
  const where = path === undefined ? [] : ['-P', path]
  const traced = await trace(pid, ['-e', `trace=${calls}`, '-e', `inject=${calls}:${rule}`, ...where])
  return { ...traced, count: () => traced.lines().filter((line) => /\((INJECTED|DELAYED)/.test(line)).length }
}

async function trace(pid: number, what: readonly string[]): Promise<Observation> {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-strace-'))
  const output = join(directory, 'calls')
  const argv = ['-f', '-o', output, ...what, '-e', 'signal=none', '-p', `${pid}`]
  const strace = spawn('/usr/bin/strace', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  strace.stderr.on('data', (chunk) => (said += chunk))
  await until('strace is attached', () => said.includes('attached') || strace.exitCode !== null)
  const lines = () => readFileSync(output, 'utf8').split('\n')
  return {
    lines,
    async end() {
      if (strace.exitCode === null && strace.signalCode === null) {
        const ended = once(strace, 'exit')
        strace.kill('SIGINT')
        await ended
      }
      const all = lines()
      rmSync(directory, { recursive: true })
      return all
    },
  }
}
