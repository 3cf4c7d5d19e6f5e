import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'

/** open(2): the name is resolved once, and what it led to is held without being opened. Node's constants lack it. */
const O_PATH = 0o10000000

/**
 * Connects to the socket at `path` if it belongs to `uid`; undefined when it does not, or nothing or something else lies
 * there. The directory is somebody else's: what is connected to is what was looked at, and not what the name leads to
 * a moment later. A link does not count.
 */
export function dialSocket(path: string, uid: number): Socket | undefined {
  const held = hold(path)
  if (held === undefined) return undefined
  const found = fstatSync(held)
  if (!found.isSocket() || found.uid !== uid) {
    closeSync(held)
    return undefined
  }
  const socket = createConnection({ path: `/proc/self/fd/${held}` })
  let isHeld = true
  const release = () => {
    if (isHeld) closeSync(held)
    isHeld = false
  }
  return socket.once('connect', release).once('close', release)
}

function hold(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_NOFOLLOW)
  } catch {
    return undefined
  }
}
