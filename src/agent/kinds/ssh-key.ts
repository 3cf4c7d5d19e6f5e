/** SSH keys in the privileged section of the tenant's user record (systemd.io/USER_RECORD), which has a file of its own that only root reads. */
import { mostOfTenant, sshKeyApply, sshKeyRemove } from '../../resources/ssh-key/jobs.ts'
import { absentPath } from '../steps/absent-path.ts'
import { link } from '../steps/link.ts'
import { textFile } from '../steps/text-file.ts'
import { factsKind } from './facts-kind.ts'

export const sshKey = factsKind({
  apply: sshKeyApply,
  remove: sshKeyRemove,
  name: ({ name }) => name,
  mostOfTenant,
  facts({ places }, { name, uid }, all) {
    const path = `${places.userdb}/${name}.user-privileged`
    const byUid = `${places.userdb}/${uid}.user-privileged`
    if (all.length === 0) return [absentPath(byUid), absentPath(path)]
    const record = { privileged: { sshAuthorizedKeys: all.map(({ key }) => key) } }
    const text = `${JSON.stringify(record, null, 2)}\n`
    return [
      textFile({ path, text, mode: 0o600, uid: 0, gid: 0 }),
      link({ path: byUid, target: `${name}.user-privileged` }),
    ]
  },
})
