/** `wcp emergency …`: what must work while panel and daemon are down. Here is asked and printed; the work is the root side's. */
import { WcpError } from '../../contract/errors.ts'
import type { RescueRequest } from '../../contract/rescue.ts'
import { Id } from '../../contract/values.ts'
import { AuditHead } from '../../contract/wire.ts'
import type { Output } from '../../lib/print.ts'
import { type Ask, demand } from '../ask.ts'
import type { CallRescue } from '../emergency/call-rescue.ts'
import { printAnswer } from '../emergency/print-answer.ts'
import type { LocalCommand } from '../program.ts'

export interface EmergencyTools {
  readonly output: Output
  readonly ask: Pick<Ask, 'secret' | 'yes'>
  /** A person can be asked twice. */
  readonly isTerminal: boolean
  readonly call: CallRescue
}

const json = ['--json', 'print the answer as JSON'] as const
const email = ['<email>', 'e-mail address of the account'] as const
const tenant = ['<tenant>', 'name or id of the tenant'] as const

export function emergencyCommands(tools: EmergencyTools): readonly LocalCommand[] {
  const command = (
    verb: string,
    rest: Omit<LocalCommand, 'words' | 'run'> & {
      request(word: string | undefined, options: Readonly<Record<string, unknown>>): Promise<RescueRequest>
    },
  ): LocalCommand => ({
    ...rest,
    words: `emergency ${verb}`,
    options: [...(rest.options ?? []), json],
    async run([word], options) {
      const answer = await tools.call(await rest.request(word, options))
      return printAnswer(tools.output, answer, options.json === true)
    },
  })
  return [
    command('reset-password', {
      summary: 'Give a user a new password and take away what keeps them out; the daemon must be stopped',
      args: [email],
      request: async (word = '') => ({ do: 'reset-password', email: word, password: await newPassword(tools) }),
    }),
    command('create-admin', {
      summary: 'Make an administrator where none is left; the daemon must be stopped',
      args: [email],
      request: async (word = '') => ({ do: 'create-admin', email: word, password: await newPassword(tools) }),
    }),
    command('suspend', {
      summary: "Close a tenant's sites and stop its processes; the daemon must be stopped",
      args: [tenant],
      request: async (word = '') => ({ do: 'suspend', tenant: word }),
    }),
    command('unsuspend', {
      summary: 'Open a suspended tenant again; the daemon must be stopped',
      args: [tenant],
      request: async (word = '') => ({ do: 'unsuspend', tenant: word }),
    }),
    command('render', {
      summary: 'Render all managed files anew, show what differs, and test the web server; the daemon must be stopped',
      options: [['--apply', 'put back what differs']],
      request: async (_word, options) => ({ do: 'render', apply: options.apply === true }),
    }),
    command('jobs', {
      summary: 'Show interrupted jobs, and ends that the panel has not confirmed; the daemon must be stopped',
      request: async () => ({ do: 'jobs' }),
    }),
    command('roll-back', {
      summary: 'Put back the store as it was before a newer version changed its schema; the daemon must be stopped',
      request: async () => ({ do: 'roll-back' }),
    }),
    command('fences', {
      summary: 'Have the tokens of jobs counted anew, when jobs end as stale for ever; the daemon must be stopped',
      request: async () => ({ do: 'fences' }),
    }),
    command('audit', {
      summary: "Check the root side's audit log without asking the panel; the daemon may run",
      options: [['--head <json>', 'an end of the log as the journal or another machine has kept it']],
      request: async (_word, options) => ({ do: 'audit', head: headOf(options.head) }),
    }),
    command('settle', {
      summary: 'Resume or undo interrupted jobs now; the daemon must be stopped',
      args: [['[job]', 'id of the one job; all without it']],
      request: async (word) => ({ do: 'settle', job: word === undefined ? null : jobId(word) }),
    }),
  ]
}

async function newPassword({ ask, isTerminal }: EmergencyTools): Promise<string> {
  const password = await demand(ask.secret, 'new password: ')
  if (!isTerminal || (await demand(ask.secret, 'the same again: ')) === password) return password
  throw new WcpError('bad_input', 'Cannot set the password: the two are not the same', {
    fields: [{ field: 'password', problem: 'was typed differently the second time' }],
  })
}

function headOf(text: unknown): AuditHead | null {
  if (text === undefined) return null
  try {
    return AuditHead.parse(JSON.parse(String(text)))
  } catch (cause) {
    throw new WcpError('bad_input', 'Cannot read the head: it is not one that was exported', {
      cause,
      help: 'Give it as it was written: {"seq":…,"at":"…","mac":"…","seal":"…"}',
    })
  }
}

function jobId(word: string): Id {
  const parsed = Id.safeParse(word)
  if (parsed.success) return parsed.data
  throw new WcpError('bad_input', `Cannot settle "${word}": it is not the id of a job`, {
    help: '"wcp emergency jobs" lists them.',
  })
}
