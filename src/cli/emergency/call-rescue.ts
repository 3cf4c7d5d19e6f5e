/** Starts the root side's code for one emergency request: this very program in role `rescue`, spoken to by its standard streams. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { selfCommand } from '../../agent/os/self-command.ts'
import { WcpError } from '../../contract/errors.ts'
import { RescueAnswer, type RescueRequest } from '../../contract/rescue.ts'

export type CallRescue = (request: RescueRequest) => Promise<RescueAnswer>

/** @param argv further words for the role: tests lay everything below a directory of theirs with `--root`. */
export function rescueCaller(...argv: readonly string[]): CallRescue {
  return async (request) => {
    if (process.getuid?.() !== 0) {
      throw new WcpError('forbidden', 'Cannot work on this machine: only root may', {
        help: 'Run the command as root: "sudo wcp emergency …".',
      })
    }
    const [file, ...words] = selfCommand('rescue')
    const child = spawn(file, [...words, ...argv], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: environment(process.env),
      cwd: '/',
    })
    child.stdin.on('error', () => {}) // it may end without reading; its answer, or none, tells
    child.stdin.end(JSON.stringify(request))
    const [answer, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    const parsed = code === 0 ? RescueAnswer.safeParse(JSON.parse(answer)) : undefined
    if (parsed?.success) return parsed.data
    throw new WcpError('internal', `Cannot read the answer of the root side, which ended with ${code}`, {
      help: 'What it printed above tells more. The same command can be given again.',
    })
  }
}

/** The variables that the daemon would heed, and nothing else of a root shell's. */
function environment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const settings = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[0].startsWith('WCP360_') && entry[1] !== undefined,
  )
  return {
    ...Object.fromEntries(settings),
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
  }
}
