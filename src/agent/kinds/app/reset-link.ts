import { WcpError } from '../../../contract/errors.ts'
import { appResetLink } from '../../../resources/app/jobs.ts'
import { endedRun } from '../../steps/ended-run.ts'
import { type RunTarget, running, runOf } from '../domain/run.ts'
import { provision } from '../provisioner.ts'
import { mustHaveWordpress, resetLinkCommand } from './wordpress.ts'

/** What it prints is the link, and stays with the output of the tenant's other commands. */
export const resetLinkOfApp = provision(appResetLink, {
  async target({ user, ...about }, world): Promise<RunTarget> {
    mustHaveWordpress(world.machine, ['wpCli'])
    const command = resetLinkCommand(world.machine.places, user)
    const target = await running.target({ ...about, command, seconds: 120 }, world)
    if (target.php === null) throw new WcpError('conflict', `Cannot make a link for "${target.fqdn}": it has no PHP`)
    return target
  },
  steps(target: RunTarget, machine) {
    const run = { ...runOf(target, machine), readable: [machine.places.web.applications] }
    return [
      endedRun(run, {
        name: 'link to a new password',
        failed: 'Cannot make a link to a new password',
        help: 'WordPress must be in the document root, and the user one of its own.',
      }),
    ]
  },
  settle() {},
})
