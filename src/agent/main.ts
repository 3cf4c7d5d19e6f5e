/**
 * Role `agent`: the root side from its first line to its last. `wcpd agent [--root DIR]`; `--root` lays everything below a
 * directory and never speaks to systemd, for tests. It is a word on the command line and not a variable, so that nothing
 * inherited can move a real agent.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '../lib/config.ts'
import { readConfig } from './agent-config.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { layout } from './os/layout.ts'
import { takeAgentLock } from './os/lock.ts'
import { prepareAgentState } from './prepare.ts'

/** sysexits(3): the journal cannot be written; the units and the supervisor start the agent again. */
const EX_IOERR = 74
/** The units and the supervisor take both as "do not start it again". */
const EX_TEMPFAIL = 75
const EX_CONFIG = 78

export async function main(argv: readonly string[]): Promise<number | undefined> {
  const root = rootArgument(argv)
  if (root === undefined) return refuse('Cannot start: usage is "wcpd agent [--root DIR]"', 2)
  if (process.getuid?.() !== 0) return refuse('Cannot start: the agent must run as root', 1)
  const places = layout(root)
  const missing = missingBelow(root)
  if (missing.length > 0)
    return refuse(
      `Cannot start: ${missing.join(', ')} missing below "${root}"; "npm run dev -- DIR" of the sources makes a directory with all of it`,
      EX_CONFIG,
    )
  try {
    const config = await readConfig(places)
    await prepareAgentState(places)
    const attempt = takeAgentLock(places.agentState)
    if ('heldBy' in attempt) {
      return refuse(`Cannot start: wcpd runs already, process ${attempt.heldBy} holds "${attempt.file}"`, EX_TEMPFAIL)
    }
    const daemon = await startDaemon({ places, config, isOnServer: root === '/' })
    const exitCode = await untilStopped(daemon)
    attempt.lock.release()
    return exitCode
  } catch (error) {
    if (error instanceof ConfigError) return refuse(`Cannot start: ${error.message}`, EX_CONFIG)
    throw error
  }
}

/** On a server the packages bring all of it. */
function missingBelow(root: string): string[] {
  const wanted = ['etc/nginx/nginx.conf', 'etc/nginx/conf.d', 'run', 'srv', 'var/lib', 'var/log']
  return root === '/' ? [] : wanted.filter((path) => !existsSync(join(root, path)))
}

/** `/` without the word; undefined for anything that is not understood. */
function rootArgument(argv: readonly string[]): string | undefined {
  try {
    const { values } = parseArgs({ args: [...argv], options: { root: { type: 'string' } } })
    const root = values.root ?? '/'
    return root.startsWith('/') ? root : undefined
  } catch {
    return undefined
  }
}

function refuse(line: string, exitCode: number): number {
  process.stderr.write(`${line}\n`)
  return exitCode
}

/** SIGHUP reloads; SIGTERM and SIGINT let running steps end, then everything that was started here. */
async function untilStopped(daemon: Daemon): Promise<number> {
  process.on('SIGHUP', () => void daemon.reload())
  const told = new Promise<number>((resolve) => {
    process.on('SIGTERM', () => resolve(0))
    process.on('SIGINT', () => resolve(0))
  })
  const exitCode = await Promise.race([told, daemon.broken.then(() => EX_IOERR)])
  await daemon.stop()
  return exitCode
}
