/**
 * Setup from the network: for a day after root has asked for it on the machine, and for whoever has the code that was
 * printed then. Who has not the code is refused before root's password is looked at, so that it cannot be guessed.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { SetupWord } from '../../contract/rescue.ts'
import type { RootCheck } from '../../contract/wire.ts'
import type { Log } from '../log.ts'
import type { Machine } from '../os/machine.ts'
import { rootWord } from '../os/root-word.ts'

/** Undefined: the code is the one that counts now. */
export function setupRefusal({ places, now }: Machine, code: string, log: Log): RootCheck['refused'] | undefined {
  const word = rootWord(places.setupWord, SetupWord, log)
  if (word === undefined || word.until <= now().toISOString()) return 'closed'
  return timingSafeEqual(Buffer.from(word.digest, 'hex'), digestOf(code)) ? undefined : 'code'
}

/** One code lets one person in. */
export async function spendSetupCode({ files, places }: Machine): Promise<void> {
  await files.remove(places.setupWord)
}

export function digestOf(code: string): Buffer {
  return createHash('sha256').update(code).digest()
}
