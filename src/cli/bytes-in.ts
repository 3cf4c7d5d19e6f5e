/** The bytes of a file from standard input, into which a shell sends a file or what another program writes. */
import type { Readable } from 'node:stream'
import { WcpError } from '../contract/errors.ts'

/** @returns what is sent; not what a person types at a screen */
export function fromStandardInput(bytes: Readable | null | undefined): Readable {
  if (bytes === undefined || bytes === null)
    throw new WcpError('bad_input', 'Cannot take a file from the keyboard', {
      help: 'Say where it comes from: wcp file upload … < FILE',
    })
  return bytes
}
