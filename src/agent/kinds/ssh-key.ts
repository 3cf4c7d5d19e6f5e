/** SSH keys as lines of one file of root's, which sshd(8) reads for each login: nothing is reloaded for a key. */
import { mostOfTenant, sshKeyApply, sshKeyRemove } from '../../resources/ssh-key/jobs.ts'
import { absentPath } from '../steps/absent-path.ts'
import { textFile } from '../steps/text-file.ts'
import { factsKind } from './facts-kind.ts'

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
    const text = all.map(({ key }) => `restrict,pty ${key}\n`).join('')
    return [textFile({ path, text, mode: 0o640, uid: 0, gid }), ...before]
  },
})
