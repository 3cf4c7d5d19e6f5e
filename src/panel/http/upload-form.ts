/**
 * A form that brings files (multipart/form-data), part by part while it comes. Its first part has to be its token, so that nothing
 * of a forged one is looked at.
 */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import { WcpError } from '../../contract/errors.ts'
import { limits } from './limits.ts'
import { uploadBody, uploadLimits } from './upload-body.ts'

export type FormPart =
  | { readonly name: string; readonly value: string }
  /** `fileName`: as the browser says it, without directories. The next part comes when `bytes` are read. */
  | { readonly name: string; readonly fileName: string; readonly bytes: Readable }

export interface UploadForm {
  /** Those behind the token. @throws WcpError where the form ends early or is none */
  readonly parts: AsyncIterable<FormPart>
  /** Reads what is left, and keeps nothing: browsers look at an answer when all is sent. */
  skip(): Promise<void>
}

/** @returns what stands for the body of the request; its token is checked and taken out like that of every form */
export async function uploadForm(
  incoming: IncomingMessage,
  bounds = uploadLimits,
): Promise<{ _csrf: string; upload: UploadForm }> {
  const stop = new AbortController()
  const parts = partsOf(incoming, uploadBody(incoming, bounds), stop.signal)
  const all: AsyncIterator<FormPart, undefined> = parts.iterator({ destroyOnReturn: false })
  const first = (await all.next()).value
  if (first === undefined || !('value' in first) || first.name !== '_csrf')
    throw malformed('its token does not come first')
  return {
    _csrf: first.value,
    upload: {
      parts: { [Symbol.asyncIterator]: () => ({ next: () => all.next() }) },
      async skip() {
        stop.abort()
        for await (const _ of uploadBody(incoming, bounds));
      },
    },
  }
}

function partsOf(incoming: IncomingMessage, body: Readable, signal: AbortSignal): Readable {
  const parser = parserFor(incoming)
  const parts = new Readable({ objectMode: true, read() {} })
  const open = new Set<Readable>()
  const fail = (cause: unknown) => {
    const error = cause instanceof WcpError ? cause : malformed('it is not well-formed', cause)
    for (const one of [...open, parts]) one.destroy(error)
  }
  parts.on('error', () => {}) // told to whoever reads
  parser.on('field', (name, value) => parts.push({ name, value }))
  parser.on('file', (name, bytes, fileName) => {
    open.add(bytes)
    bytes.on('error', () => {}) // likewise
    bytes.once('end', () => open.delete(bytes))
    parts.push({ name, bytes: Readable.from(whole(bytes), { objectMode: false }), fileName: fileName ?? '' })
  })
  for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'])
    parser.once(limit, () => parser.destroy(malformed(`more than ${limits.formFiles} files`)))
  pipeline(body, parser, { signal }).then(() => parts.push(null), fail)
  return parts
}

async function* whole(bytes: Readable): AsyncGenerator<Buffer> {
  try {
    yield* bytes
  } catch (cause) {
    throw cause instanceof WcpError ? cause : malformed('it ends too early', cause)
  }
}

function parserFor({ headers }: IncomingMessage) {
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      limits: { fieldSize: 1024, fields: 10, files: limits.formFiles, headerPairs: 20, headerSize: 4096 },
    })
  } catch (cause) {
    throw malformed('it is not well-formed', cause)
  }
}

function malformed(why: string, cause?: unknown): WcpError {
  return new WcpError('malformed', `Cannot read the form: ${why}`, { cause })
}
