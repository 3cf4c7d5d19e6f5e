/**
 * Where the audit log ended when it was written last: how a cut end is seen. One block of a fixed length, written over in
 * place: not synced, so after a power cut it may be older than the log, never newer.
 */
import { createHmac } from 'node:crypto'
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { Mac, TrailEnd } from '../../contract/wire.ts'

const KeptHead = z.strictObject({
  last: z.strictObject({ seq: z.int().min(0), mac: Mac }),
  end: TrailEnd,
  /** Bytes of the present file; 0 when a new one is about to begin. */
  size: z.int().min(0),
})
export type KeptHead = z.output<typeof KeptHead>

const Sealed = z.strictObject({ head: KeptHead, seal: Mac })
const blockBytes = 512

export function writeKeptHead(path: string, key: Uint8Array, head: KeptHead): void {
  const text = JSON.stringify({ head, seal: sealOf(key, head) })
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    writeSync(fd, `${text.padEnd(blockBytes - 1)}\n`, 0)
  } finally {
    closeSync(fd)
  }
}

/** @returns undefined when there is none, or none that root has written. */
export function readKeptHead(path: string, key: Uint8Array): KeptHead | undefined {
  try {
    const { head, seal } = Sealed.parse(JSON.parse(readFileSync(path, 'utf8')))
    return seal === sealOf(key, head) ? head : undefined
  } catch {
    return undefined // missing, torn by a power cut, or changed
  }
}

function sealOf(key: Uint8Array, { last, end, size }: KeptHead): string {
  return createHmac('sha256', key)
    .update(JSON.stringify(['kept head', last.seq, last.mac, end.sequence, end.checksum, size]))
    .digest('hex')
}
