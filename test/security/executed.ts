/**
 * Everything that the product executes, from its first moment on, as strace(1) writes it down. `-D` makes the agent the
 * child that was started, not strace's; `--seccomp-bpf` stops at nothing but the calls asked for, so that nothing is slow.
 */
import { isShell } from '../faults/crash-calls.ts'
import { layered } from './own-layers.ts'

export function tracedCommand(output: string, executable: string): readonly [string, ...string[]] {
  const options = ['-D', '-f', '-A', '-qq', '--seccomp-bpf', '-s', '4096', '-v', '-o', output]
  return layered(['/usr/bin/strace', ...options, '-e', 'trace=execve,execveat', '-e', 'signal=none', executable])
}

export interface Execution {
  readonly program: string
  readonly argv: readonly string[]
}

/** Those that came about; a failed one executed nothing. */
export function executions(lines: readonly string[]): readonly Execution[] {
  return lines.flatMap((line) => {
    const match = /execve\("((?:[^"\\]|\\.)*)", \[(.*?)\](?:, | <unfinished)/.exec(line)
    if (match === null || / = -1 /.test(line)) return []
    const argv = [...(match[2] ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((word) => word[1] ?? '')
    return [{ program: match[1] ?? '', argv }]
  })
}

export function shellsOf(lines: readonly string[]): readonly string[] {
  return executions(lines)
    .filter(({ program }) => isShell(program))
    .map(({ argv }) => argv.join(' ').slice(0, 300))
}
