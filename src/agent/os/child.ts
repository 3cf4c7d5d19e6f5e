/** The panel and the waker as children, where there is no systemd to run them: without privileges from their first instruction on. */
import type { Account } from './accounts.ts'
import { literalEnv, type ServiceProcess, spawnService } from './exec.ts'

export interface UnprivilegedChild {
  readonly account: Account
  readonly command: readonly [file: string, ...argv: string[]]
  readonly env: Readonly<Record<string, string>>
  /** Descriptors that the child gets as 3 and on. */
  readonly descriptors: readonly number[]
}

export function startUnprivileged({ account, command, env, descriptors }: UnprivilegedChild): Promise<ServiceProcess> {
  return spawnService('/usr/bin/setpriv', [...privilegeDrop(account), ...command], {
    stdio: ['ignore', 'inherit', 'inherit', ...descriptors],
    env: { ...literalEnv, ...env },
  })
}

/** setpriv(1) sets everything before exec, so that every thread has it; and the kernel ends the child when the agent dies. */
export function privilegeDrop({ uid, gid }: Account): string[] {
  return [
    ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'],
    ...['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--pdeathsig=TERM', '--'],
  ]
}
