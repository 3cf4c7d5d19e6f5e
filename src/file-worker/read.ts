/** The bytes of a file, as they are when it is opened: what is appended meanwhile is not waited for. */
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { FileLine } from '../lib/file-line.ts'
import { entryOfOpen } from './entry.ts'
import { atPlace, openBelow } from './place.ts'
import { refused, refusedByKernel } from './refusal.ts'

/** Does not wait for the other end of a pipe that lies there instead of a file. */
const asFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const pieceBytes = 64 * 1024

export function read(line: FileLine, root: string, path: string): Promise<void> {
  return atPlace(root, path, async ({ directory, name }) => {
    const file = await openBelow(directory, name, asFile).catch(refusedByKernel('read', path))
    try {
      const entry = await entryOfOpen(file, name)
      if (entry.kind !== 'file') throw refused('conflict', `read "${path.slice(0, 300)}": it is no file`)
      await line.say({ value: entry })
      await sendBytes(line, file, entry.size, path)
      await line.sendEnd()
    } finally {
      await file.close()
    }
  })
}

async function sendBytes(line: FileLine, file: FileHandle, size: number, path: string): Promise<void> {
  for (let place = 0; place < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size - place))
    const { bytesRead } = await file.read(piece, 0, piece.length, place).catch(refusedByKernel('read', path))
    if (bytesRead === 0) throw refused('conflict', `read "${path.slice(0, 300)}": it became shorter meanwhile`)
    await line.send(piece.subarray(0, bytesRead))
    place += bytesRead
  }
}
