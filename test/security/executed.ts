/**
 * Everything that the product executes, from its first moment on, as strace(1) writes it down. `-D` makes the agent the
 * child that was started, not strace's; `--seccomp-bpf` stops at nothing but the calls asked for, so that nothing is slow.
 */
import { isShell, starting, tenantProcess } from '../faults/crash-calls.ts'
import { layered } from './own-layers.ts'

export function tracedCommand(output: string, executable: string): readonly [string, ...string[]] {
  const options = ['-D', '-f', '-A', '-qq', '--seccomp-bpf', '-s', '4096', '-v', '-o', output]
  return layered(['/usr/bin/strace', ...options, '-e', `trace=${starting.join()}`, '-e', 'signal=none', executable])
}

export interface Execution {
  readonly pid: string
  readonly program: string
  readonly argv: readonly string[]
}

/** Those that came about; a failed one executed nothing. */
export function executions(lines: readonly string[]): readonly Execution[] {
  return lines.flatMap((line) => {
    const match = /^(\d+) .*execve\("((?:[^"\\]|\\.)*)", \[(.*?)\](?:, | <unfinished)/.exec(line)
    if (match === null || / = -1 /.test(line)) return []
    const argv = [...(match[3] ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((word) => word[1] ?? '')
    return [{ pid: match[1] ?? '', program: match[2] ?? '', argv }]
  })
}

/** But for commands of tenants, which env(1) begins as the tenant's user and which may be shells. */
export function shellsOf(lines: readonly string[]): readonly string[] {
  const all = executions(lines)
  const tenants = new Set(lines.map(tenantProcess))
  const commands = new Set(all.filter(({ pid, program }) => tenants.has(pid) && program === env).map(({ pid }) => pid))
  return all
    .filter(({ pid, program }) => isShell(program) && !commands.has(pid))
    .map(({ argv }) => argv.join(' ').slice(0, 300))
}

const env = '/usr/bin/env'
