/** `wcp setup open`: the address at which the panel can be set up from the network, for a day. */
import type { Output } from '../../lib/print.ts'
import type { CallRescue } from '../emergency/call-rescue.ts'
import { printAnswer } from '../emergency/print-answer.ts'
import type { LocalCommand } from '../program.ts'

export function openSetup(call: CallRescue, output: Output): LocalCommand {
  return {
    words: 'setup open',
    summary: 'Open the first setup to the network for 24 hours, at an address with a one-time code',
    options: [['--json', 'print the answer as JSON']],
    run: async (_words, options) => printAnswer(output, await call({ do: 'open-setup' }), options.json === true),
  }
}
