import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { WcpError } from '../../contract/errors.ts'
import type { Entry, Files, Ownership } from '../os/files.ts'
import { ownershipDiffers } from './entry-step.ts'
import { type Step, step } from './step.ts'

export interface PrivateKey extends Ownership {
  readonly path: string
  /** Of a certificate in use, for whose key no other is made; else any key will do. */
  readonly isRight?: (key: KeyObject) => boolean
  /** What to do when the key is gone or another one, told with the difference. */
  readonly ifLost?: (how: Loss) => string
}

export type Loss = 'gone' | 'another' | 'no key'

type Former =
  | { readonly type: 'absent' }
  | { readonly type: 'file'; readonly mode: number; readonly uid: number; readonly gid: number }

/** A key of curve P-256 that was made here: it stays while it is there, and nothing of it is written anywhere else. */
export function privateKey(wanted: PrivateKey): Step {
  const { isRight, ifLost } = wanted
  const lost = (what: string, how: Loss) => (ifLost === undefined ? what : `${what}; ${ifLost(how)}`)
  return step<Former>({
    name: `private key ${wanted.path}`,
    async check({ files }) {
      const found = await files.look(wanted.path)
      if (found.type === 'absent')
        return { action: 'create', diff: ifLost === undefined ? null : lost('it is gone', 'gone') }
      const key = keyOf(found)
      if (key === undefined) return { action: 'change', diff: lost('something else is in its place', 'no key') }
      if (isRight?.(key) === false)
        return { action: 'change', diff: lost('the certificate is for another key', 'another') }
      const said = found.type === 'file' ? ownershipDiffers(found, wanted) : undefined
      return said === undefined ? undefined : { action: 'change', diff: said }
    },
    async capture({ files }) {
      const found = await files.look(wanted.path)
      const key = keyOf(found)
      if (isRight !== undefined && (key === undefined || !isRight(key)))
        throw new WcpError('conflict', `Cannot use key "${wanted.path}": the certificate is for another key`)
      if (found.type === 'absent') return { type: 'absent' }
      if (found.type !== 'file' || key === undefined)
        throw new WcpError('conflict', `Cannot use key "${wanted.path}": something else is in its place`)
      const { mode, uid, gid } = found
      return { type: 'file', mode, uid, gid }
    },
    async apply({ files }) {
      const found = await files.look(wanted.path)
      if (found.type === 'file') return await files.putBack(wanted.path, { ...found, ...ownershipOf(wanted) })
      await files.writeFile(wanted.path, newKey(), wanted)
    },
    async undo({ files }, before) {
      const found = await files.look(wanted.path)
      if (before.type === 'absent') return await files.remove(wanted.path)
      if (found.type === 'file' && ownershipDiffers(found, before))
        await files.putBack(wanted.path, { ...found, ...before })
    },
  })
}

/** Of the file at that place; undefined when there is none, or it is of another kind. */
export async function readKey(files: Pick<Files, 'look'>, path: string): Promise<KeyObject | undefined> {
  return keyOf(await files.look(path))
}

export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function ownershipOf({ mode, uid, gid }: Ownership): Ownership {
  return { mode, uid, gid }
}

function keyOf(found: Entry): KeyObject | undefined {
  if (found.type !== 'file') return undefined
  try {
    const key = createPrivateKey(Buffer.from(found.base64, 'base64'))
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined
  } catch {
    return undefined
  }
}
