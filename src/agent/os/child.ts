/** Unprivileged roles as children, where there is no systemd to run them: without privileges from their first instruction on. */
import { closeSync, openSync } from 'node:fs'
import type { Account } from './accounts.ts'
import { literalEnv, type ServiceOptions, type ServiceProcess, spawnService } from './exec.ts'

export interface UnprivilegedChild {
  readonly account: Account
  readonly command: readonly [file: string, ...argv: string[]]
  readonly env: Readonly<Record<string, string>>
  /** Descriptors that the child gets after those of `stdio`. */
  readonly descriptors: readonly number[]
  /** Its first ones; unless told three, by which it reads nothing and says what it says where we do. */
  readonly stdio?: ServiceOptions['stdio']
}

/**
 * `/proc/self/exe` would be setpriv itself by the time it is executed, and the agent's own entry in /proc is closed to
 * the account: so the running file goes with the child as a descriptor after the others (proc(5), /proc/pid/fd).
 */
export async function startUnprivileged({
  account,
  command,
  env,
  descriptors,
  stdio = ['ignore', 'inherit', 'inherit'],
}: UnprivilegedChild): Promise<ServiceProcess> {
  const [file, ...argv] = command
  const running = file === '/proc/self/exe' ? openSync(file, 'r') : undefined
  const handed = running === undefined ? descriptors : [...descriptors, running]
  const program = running === undefined ? file : `/proc/self/fd/${stdio.length - 1 + handed.length}`
  try {
    return await spawnService('/usr/bin/setpriv', [...privilegeDrop(account), program, ...argv], {
      stdio: [...stdio, ...handed],
      env: { ...literalEnv, ...env },
    })
  } finally {
    if (running !== undefined) closeSync(running)
  }
}

/** setpriv(1) sets everything before exec, so that every thread has it; and the kernel ends the child when the agent dies. */
export function privilegeDrop({ uid, gid }: Account): string[] {
  return [
    ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'],
    ...['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--pdeathsig=TERM', '--'],
  ]
}
