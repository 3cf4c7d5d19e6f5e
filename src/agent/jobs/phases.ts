/** The messages permitted in each phase of the root side's life (B7). */
import type { PanelMessage } from '../../contract/wire.ts'

export type Kind = PanelMessage['t']
export type Message<K extends Kind> = Extract<PanelMessage, { t: K }>
export type Phase = 'setup' | 'serving' | 'read-only' | 'stopping'
/** `refuse`: answered with a failure. `ignore`: said again at the next connection. `fatal`: a panel of ours never says it here, so the connection ends. */
type Verdict = 'permit' | 'refuse' | 'ignore' | 'fatal'

export const phases: Record<Phase, Record<Kind, Verdict>> = {
  setup: {
    job: 'refuse',
    ack: 'permit',
    audit: 'permit',
    plan: 'refuse',
    inspect: 'permit',
    inventory: 'permit',
    account: 'permit',
    usage: 'refuse',
    output: 'refuse',
    ping: 'permit',
    stop: 'ignore',
    verify_root: 'permit',
    new_epoch: 'permit',
    close_setup: 'permit',
  },
  serving: {
    job: 'permit',
    ack: 'permit',
    audit: 'permit',
    plan: 'permit',
    inspect: 'permit',
    inventory: 'permit',
    account: 'permit',
    usage: 'permit',
    output: 'permit',
    ping: 'permit',
    stop: 'permit',
    verify_root: 'fatal',
    new_epoch: 'permit',
    close_setup: 'permit', // said again by a panel that did not hear the answer
  },
  'read-only': {
    job: 'refuse',
    ack: 'permit',
    audit: 'permit',
    plan: 'refuse',
    inspect: 'permit',
    inventory: 'refuse',
    account: 'refuse',
    usage: 'refuse',
    output: 'permit',
    ping: 'permit',
    stop: 'ignore',
    verify_root: 'fatal',
    new_epoch: 'refuse',
    close_setup: 'refuse',
  },
  stopping: {
    job: 'ignore',
    ack: 'ignore',
    audit: 'ignore',
    plan: 'refuse',
    inspect: 'refuse',
    inventory: 'refuse',
    account: 'refuse',
    usage: 'refuse',
    output: 'refuse',
    ping: 'refuse',
    stop: 'ignore',
    verify_root: 'refuse',
    new_epoch: 'refuse',
    close_setup: 'refuse',
  },
}
