/** The output of a tenant's command, as text that can harm no terminal and no page. */
import type { RunOutput } from '../../../contract/wire.ts'
import type { OutputPage } from './kept-output.ts'

/** A third of what a frame may hold: a byte that is no character becomes one of three. */
export const outputPageBytes = 64 * 1024

export function outputText({ from, bytes, next }: OutputPage): RunOutput {
  const whole = bytes.subarray(0, bytes.length - cutCharacter(bytes))
  const left = bytes.length - whole.length
  // what stands alone at the end of everything is no beginning of a character
  const used = whole.length === 0 ? bytes : whole
  return { text: plainText(used.toString('utf8')), from, next: whole.length === 0 ? next : next - left }
}

const sequence = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;?]*[ -/]*[@-~]`, 'g')

/** Bytes at the end that begin a character whose other bytes are not there yet (RFC 3629). */
function cutCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes.at(-back) ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}

/** Colours and movements of the cursor (ECMA-48) go; any other control character is shown as one that cannot be shown. */
function plainText(text: string): string {
  return text
    .replaceAll(sequence, '')
    .replaceAll(/\r+\n/g, '\n')
    .replaceAll('\r', '\n')
    .replaceAll(/(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}
