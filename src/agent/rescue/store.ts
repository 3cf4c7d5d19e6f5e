/** Asks the one process that opens the panel's store: this program once more, as the panel's user from its first instruction on. */
import { join } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import { StoreAnswer, type StoreRequest } from '../../contract/rescue.ts'
import { privilegeDrop } from '../os/child.ts'
import { exec } from '../os/exec.ts'
import { selfCommand } from '../os/self-command.ts'
import type { Rescue } from './machine.ts'

type WithoutStore<R> = R extends StoreRequest ? Omit<R, 'where' | 'panelKey'> : never
type AnswerOf<K extends StoreAnswer['of']> = Extract<StoreAnswer, { of: K }>

const timeoutMs = 120_000

/** @returns the answer of the kind that was wanted; what the other side calls a problem is thrown as such. */
export async function askStore<K extends StoreAnswer['of']>(
  { places, config, accounts, machine }: Rescue,
  request: WithoutStore<StoreRequest>,
  wanted: K,
): Promise<AnswerOf<K>> {
  const panelKey = await machine.files.readText(places.panelKey)
  if (panelKey === undefined) {
    throw new WcpError('unavailable', `Cannot find the panel's key "${places.panelKey}"`, {
      help: 'Put it back from a backup: the audit trail is chained with it.',
    })
  }
  const where = config.store.kind === 'sqlite' ? join(places.panelState, 'state.db') : config.store.url
  const [file, argv] = asPanel(accounts.panel)
  const input = JSON.stringify({ ...request, where, panelKey })
  const { code, stdout, stderr } = await exec(file, argv, { input, timeoutMs })
  const answer = code === 0 ? StoreAnswer.safeParse(parsed(stdout)) : undefined
  if (!answer?.success) {
    const cause = new Error(stderr.trim().split('\n').at(-1) || `it ended with ${code}`)
    throw new WcpError('unavailable', "Cannot open the panel's store: the process for it failed", { cause })
  }
  if (answer.data.of === 'problem') {
    const { code: problem, message, ...more } = answer.data.problem
    throw new WcpError(problem, message, more)
  }
  if (answer.data.of !== wanted) throw new WcpError('internal', "Cannot read the answer about the panel's store")
  return answer.data as AnswerOf<K> // `of` has just been compared
}

/** After setpriv's exec `/proc/self/exe` would be setpriv itself, so the file is named. */
function asPanel(panel: Rescue['accounts']['panel']): readonly [file: string, argv: string[]] {
  const [, ...argv] = selfCommand('store-rescue')
  return ['/usr/bin/setpriv', [...privilegeDrop(panel), process.execPath, ...argv]]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // refused by the schema
  }
}
