/** The panel and the waker as children, where there is no systemd to run them: without privileges from their first instruction on. */
import type { Log } from '../engine-api.ts'
import type { Account } from './accounts.ts'
import { literalEnv, type ServiceProcess, spawnService } from './exec.ts'

export interface ChildService {
  readonly name: string
  readonly account: Account
  readonly command: readonly [file: string, ...argv: string[]]
  readonly env: Readonly<Record<string, string>>
  /** Descriptors that the child gets as 3 and on. */
  readonly descriptors: readonly number[]
  /** Before each start. */
  prepare?(): Promise<void>
}

export interface SupervisedChild {
  readonly state: () => { readonly state: 'running' | 'stopped' | 'failed'; readonly detail?: string }
  /** Ends this one and starts a new one; what waits in the inherited socket's backlog is served by the new one. */
  restart(): void
  /** SIGTERM, and SIGKILL after the grace; resolves when it has ended. */
  stop(): Promise<void>
}

const firstDelayMs = 100
const longestDelayMs = 10_000
const goodAfterMs = 30_000
const graceMs = 15_000

/** Starts the child and starts it again whenever it ends, ever more slowly while it fails at once. */
export function superviseChild(service: ChildService, log: Log): SupervisedChild {
  let running: ServiceProcess | undefined
  let delay = firstDelayMs
  let isStopping = false
  let lastEnd = ''
  let wake: () => void = () => {}
  const finished = loop()

  async function loop(): Promise<void> {
    while (!isStopping) {
      const since = performance.now()
      try {
        await service.prepare?.()
        running = await startWithoutPrivileges(service)
        log.info({ service: service.name, pid: running.pid }, 'service started')
        if (isStopping) running.kill('SIGTERM')
        const code = await running.ended
        lastEnd = `ended with exit code ${code}`
        if (!isStopping) log.warn({ service: service.name, exitCode: code }, 'service ended; starting it again')
      } catch (error) {
        lastEnd = 'could not be started'
        log.error({ service: service.name, err: error }, 'service could not be started; trying again')
      }
      running = undefined
      delay = performance.now() - since > goodAfterMs ? firstDelayMs : Math.min(delay * 2, longestDelayMs)
      if (!isStopping) await pause(delay)
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  return {
    state: () => (running ? { state: 'running' } : { state: isStopping ? 'stopped' : 'failed', detail: lastEnd }),
    restart() {
      delay = firstDelayMs
      if (running) running.kill('SIGTERM')
      else wake()
    },
    async stop() {
      isStopping = true
      wake()
      running?.kill('SIGTERM')
      const timer = setTimeout(() => running?.kill('SIGKILL'), graceMs)
      await finished
      clearTimeout(timer)
    },
  }
}

/**
 * setpriv(1) sets everything before exec, so every thread has it; and the kernel ends the child when the agent dies.
 */
export function privilegeDrop({ uid, gid }: Account): string[] {
  return [
    ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'],
    ...['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--pdeathsig=TERM', '--'],
  ]
}

function startWithoutPrivileges({ account, command, env, descriptors }: ChildService): Promise<ServiceProcess> {
  return spawnService('/usr/bin/setpriv', [...privilegeDrop(account), ...command], {
    stdio: ['ignore', 'inherit', 'inherit', ...descriptors],
    env: { ...literalEnv, ...env },
  })
}
