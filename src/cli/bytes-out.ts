/** The bytes of a file on standard output, which a shell sends into a file or another program. */
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WcpError } from '../contract/errors.ts'

/** @returns where the answer goes; not to a screen, which would take some bytes for commands */
export function toStandardOutput(bytes: Writable | null | undefined): (answer: Readable) => Promise<void> {
  if (bytes === undefined || bytes === null)
    throw new WcpError('bad_input', 'Cannot write a file to the screen', {
      help: 'Say where it goes: wcp file download … > FILE',
    })
  return (answer) => pipeline(answer, bytes, { end: false })
}
