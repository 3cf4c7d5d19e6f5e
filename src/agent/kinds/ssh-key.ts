/** SSH keys as lines of one file of root's, which sshd(8) reads for each login: nothing is reloaded for a key. */
import { mostOfTenant, sshKeyApply, sshKeyRemove } from '../../resources/ssh-key/jobs.ts'
import { absentPath } from '../steps/absent-path.ts'
import { textFile } from '../steps/text-file.ts'
import { factsKind } from './facts-kind.ts'

interface Terms {
  readonly expiresAt?: string
  readonly addresses?: readonly string[]
}

/** Before a key: see AUTHORIZED_KEYS FILE FORMAT in sshd(8). */
function options({ expiresAt, addresses }: Terms): string {
  const moment = expiresAt && new Date(expiresAt).toISOString().replace(/[-:T]|\.\d+/g, '')
  return [
    'restrict,pty',
    ...(moment ? [`expiry-time="${moment}"`] : []),
    ...(addresses ? [`from="${addresses.join(',')}"`] : []),
  ].join(',')
}

export const sshKey = factsKind({
  apply: sshKeyApply,
  remove: sshKeyRemove,
  name: ({ name }) => name,
  mostOfTenant,
  facts({ places }, { name, uid, gid }, all) {
    const path = places.web.authorizedKeys(name)
    // where 0.1.0 had them
    const before = [`${places.userdb}/${uid}.user-privileged`, `${places.userdb}/${name}.user-privileged`].map(
      absentPath,
    )
    if (all.length === 0) return [absentPath(path), ...before]
    const text = all.map((one) => `${options(one)} ${one.key}\n`).join('')
    return [textFile({ path, text, mode: 0o640, uid: 0, gid }), ...before]
  },
})
