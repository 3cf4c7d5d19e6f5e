import type { Readable } from 'node:stream'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a file says; null where it is no text that a page can show and give back unchanged. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    const text = utf8.decode(bytes)
    return /(?![\n\r\t])\p{Cc}/u.test(text) ? null : text
  } catch {
    return null
  }
}

export async function allOf(bytes: Readable): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of bytes) pieces.push(piece as Buffer) // a stream of bytes
  return Buffer.concat(pieces)
}
