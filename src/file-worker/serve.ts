/** The requests of one connection, one after the other. */

import { FileRequest } from '../contract/file-wire.ts'
import type { FileLine } from '../lib/file-line.ts'
import { entryOf } from './entry.ts'
import { list } from './list.ts'
import { atPlace } from './place.ts'
import { read } from './read.ts'
import { Refusal } from './refusal.ts'

/** Until the panel ends the connection. @throws when it breaks the grammar, or goes in the middle of an answer */
export async function serve(line: FileLine, root: string): Promise<void> {
  for (;;) {
    const frame = await line.next()
    if (frame === undefined) return
    const request = FileRequest.parse(frame.kind === 'json' ? frame.value : undefined)
    try {
      await answer(line, root, request)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      await line.say({ failure: { code: error.code, message: error.message } })
    }
  }
}

async function answer(line: FileLine, root: string, request: FileRequest): Promise<void> {
  switch (request.do) {
    case 'list':
      return await line.say({ value: await list(root, request) })
    case 'show':
      return await line.say({ value: await atPlace(root, request.path, (place) => entryOf(place, request.path)) })
    case 'read':
      return await read(line, root, request.path)
  }
}
