/** `wcp logs`: the daemon's own messages, from the journal or from the supervisor's file. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { WcpError } from '../../contract/errors.ts'
import type { LocalCommand } from '../program.ts'

const units = ['wcpd.service', 'wcpd-panel.service', 'wcpd-waker.service']

/** @param file where the daemon writes when systemd does not keep its messages. */
export function logs(file: string, hasJournal = existsSync('/run/systemd/system')): LocalCommand {
  return {
    words: 'logs',
    summary: 'Show the messages of agent, panel and waker',
    options: [
      ['-f, --follow', 'go on with what comes'],
      ['-n, --lines <n>', 'how many of the last lines'],
    ],
    async run(_args, options) {
      const lines = /^\d{1,6}$/.exec(String(options.lines ?? '100'))?.[0] ?? '100'
      const follow = options.follow === true
      if (!hasJournal && !existsSync(file))
        throw new WcpError('not_found', `Cannot show messages: there is no ${file}`, {
          help: 'The daemon makes it at its first start: "service wcpd start"; "wcp doctor" says what else is missing.',
        })
      const [program, words] = hasJournal
        ? ([
            '/usr/bin/journalctl',
            [
              ...units.map((unit) => `--unit=${unit}`),
              `--lines=${lines}`,
              '--output=cat',
              ...(follow ? ['--follow'] : ['--no-pager']),
            ],
          ] as const)
        : (['/usr/bin/tail', [`--lines=${lines}`, ...(follow ? ['--follow=name'] : []), '--', file]] as const)
      const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit'] })
      const [code] = await once(child, 'exit')
      return typeof code === 'number' ? code : 0
    },
  }
}
