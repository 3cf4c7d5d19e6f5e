/** The requests of one connection, one after the other. */

import { FileRequest } from '../contract/file-wire.ts'
import { type FileLine, FileLineError } from '../lib/file-line.ts'
import { makeDirectory, move } from './change.ts'
import { entryOf } from './entry.ts'
import { list } from './list.ts'
import { atPlace } from './place.ts'
import { read } from './read.ts'
import { Refusal } from './refusal.ts'
import { listTrash, moveToTrash, type Roots, restore } from './trash.ts'
import { write } from './write.ts'

/** Until the panel ends the connection. @throws when it breaks the grammar, or goes in the middle of an answer */
export async function serve(line: FileLine, roots: Roots): Promise<void> {
  for (;;) {
    const frame = await line.next()
    if (frame === undefined) return
    const request = FileRequest.parse(frame.kind === 'json' ? frame.value : undefined)
    const bytes = bytesOf(line)
    try {
      await answer(line, roots, request, bytes)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      await line.say({ failure: { code: error.code, message: error.message } })
    }
    // also of what was refused: the next request comes after them
    if (request.do === 'write') for (let one = await bytes.next(); !one.done; one = await bytes.next());
  }
}

type Bytes = AsyncGenerator<Buffer, undefined>

async function answer(line: FileLine, roots: Roots, request: FileRequest, bytes: Bytes): Promise<void> {
  if (request.do === 'read') return await read(line, roots.root, request.path)
  await line.say({ value: await done(roots, request, bytes) })
}

async function done(roots: Roots, request: Exclude<FileRequest, { do: 'read' }>, bytes: Bytes): Promise<unknown> {
  const { root } = roots
  switch (request.do) {
    case 'list':
      return await list(root, request)
    case 'show':
      return await atPlace(root, request.path, (place) => entryOf(place, request.path))
    case 'write':
      return await write(root, request, { [Symbol.asyncIterator]: () => ({ next: () => bytes.next() }) })
    case 'make-directory':
      return await makeDirectory(root, request.path)
    case 'move':
      return await move(root, request)
    case 'trash':
      return await moveToTrash(roots, request.path)
    case 'list-trash':
      return await listTrash(roots)
    case 'restore':
      return await restore(roots, request.name)
  }
}

async function* bytesOf(line: FileLine): Bytes {
  for (;;) {
    const frame = await line.next()
    if (frame?.kind !== 'bytes') throw new FileLineError('bytes that broke off')
    if (frame.bytes.length === 0) return undefined
    yield frame.bytes
  }
}
