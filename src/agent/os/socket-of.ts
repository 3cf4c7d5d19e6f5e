import { lstatSync } from 'node:fs'

/** Whether a socket lies there and belongs to `uid`. A link does not count: in somebody else's directory it may lead anywhere. */
export function isSocketOf(path: string, uid: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isSocket() === true && found.uid === uid
}
