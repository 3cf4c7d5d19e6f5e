/**
 * Role `wcpd file-worker <directory> <trash>`: what the file manager does, done by a process that is the tenant, in the sandbox of its
 * PHP. It serves one request after another from the panel over descriptor 0, and ends with that connection.
 *
 * It is no wall: whoever is the tenant can do all of this anyway. It does not follow links so that people get what they see,
 * and so that nobody is lured into harming their own files through a link that somebody else's script has left there.
 */
import { Socket } from 'node:net'
import { fileWireVersion } from '../contract/file-wire.ts'
import { FileLine } from '../lib/file-line.ts'
import { serve } from './serve.ts'

/** The panel closes earlier what it does not use; this is for one that is gone without a word. */
const idleMs = 30 * 60_000

export async function main([root = '', trash = '']: readonly string[]): Promise<number> {
  process.umask(0o022)
  const socket = new Socket({ fd: 0, readable: true, writable: true })
  socket.setTimeout(idleMs, () => socket.destroy())
  const line = new FileLine(socket)
  try {
    await line.say({ hello: fileWireVersion })
    await serve(line, { root, trash })
    return 0
  } catch {
    return 1 // the panel sees its connection end
  } finally {
    socket.destroy()
  }
}
