import { readFileSync } from 'node:fs'
import type { Tried } from './attack-class.ts'

const hostile = [
  '1234',
  '0day',
  'ünï',
  'A',
  'a.b',
  'a$',
  '-rf',
  'root',
  'root ',
  ' root',
  'wcp360',
  'www-data',
  'wcp360-web',
  'mysql',
  'x'.repeat(25),
  'x'.repeat(33),
  'x'.repeat(256),
  '\u202eacme',
  'ac\0me',
  'acme\n',
  'ACME',
  'Bakery',
  'ab',
  '',
  'a b',
  '..',
  'a/b',
  'nobody',
  'systemd',
  'sshd',
  'sudo',
  'adm',
  'shadow',
  'users',
]

export const names: Tried = {
  name: 'names of tenants that the machine would misread',
  holds: 'refused: those out of the grammar, and those that this machine has; no uid is given twice',
  notYet: 'cron, mail and temporary files of a deleted tenant; PAM is tried in test/integration/pam.test.ts',
  says: [/^a job failed$/],
  async attack(stage, tally) {
    const column = (file: string) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.split(':')[0] ?? '')
        .filter(Boolean)
    const all = new Set([...hostile, ...column('/etc/passwd'), ...column('/etc/group')])
    for (const name of all) {
      const answer = await stage.root('POST', '/tenants', { name, package: 'basic' })
      if (answer.status === 202) {
        // The panel does not know every account of the machine: the root side does.
        const { jobId } = answer.json()
        const job = (await stage.world.settled()).find(({ id }) => id === jobId)
        tally.same(job?.state, 'failed', `tenant "${name.slice(0, 30)}"`)
        await stage.root('DELETE', `/tenants/${name}`)
      } else tally.held([409, 422].includes(answer.status), `tenant "${name.slice(0, 30)}": ${answer.status}`)
    }
    await stage.world.settled()
    const uids: number[] = []
    for (const name of ['firstone', 'secondone']) {
      await stage.root('POST', '/tenants', { name, package: 'basic' })
      await stage.world.settled()
      const { uid } = JSON.parse(readFileSync(`${stage.product.places.userdb}/${name}.user`, 'utf8')) as { uid: number }
      uids.push(uid)
      await stage.root('DELETE', `/tenants/${name}`)
      await stage.world.settled()
    }
    tally.held((uids[1] ?? 0) > (uids[0] ?? 0), `uids ${uids.join(', ')}`)
  },
}
