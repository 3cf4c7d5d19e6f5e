/** `wcp certificate export`: chain and key of a site, for another service of this machine. Root's, not the panel's. */
import { resolve } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import type { Output } from '../../lib/print.ts'
import type { CallRescue } from '../emergency/call-rescue.ts'
import { printAnswer } from '../emergency/print-answer.ts'
import type { LocalCommand } from '../program.ts'

export function exportCertificate(call: CallRescue, output: Output): LocalCommand {
  return {
    words: 'certificate export',
    summary:
      'Copy the certificate and the key of a site into a directory of root’s, for another service of this machine',
    args: [['<name>', 'a name of the site']],
    options: [
      [
        '--to <directory>',
        'where NAME.crt and NAME.key are written, for root alone; given again, it writes what is new',
      ],
      ['--json', 'print the answer as JSON'],
    ],
    async run([name = ''], { to, json }) {
      if (typeof to !== 'string' || to === '')
        throw new WcpError('bad_input', 'Cannot export the certificate: --to is missing', {
          fields: [{ field: 'to', problem: 'is missing', accepted: 'a directory such as /etc/ssl/mail' }],
        })
      return printAnswer(output, await call({ do: 'export-certificate', name, directory: resolve(to) }), json === true)
    },
  }
}
