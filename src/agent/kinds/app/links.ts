/** Links into an application that a command of its own makes. What it prints is the link, and stays with the output of the tenant's other commands. */
import type { z } from 'zod'
import { WcpError } from '../../../contract/errors.ts'
import type { TenantCommand } from '../../../contract/tenant-command.ts'
import { appLoginLink, appResetLink } from '../../../resources/app/jobs.ts'
import type { Layout } from '../../os/layout.ts'
import { endedRun } from '../../steps/ended-run.ts'
import { type RunTarget, running, runOf } from '../domain/run.ts'
import { type AnyProvisioner, provision } from '../provisioner.ts'
import { mustHaveWordpress, resetLinkCommand } from './wordpress.ts'
import { loginLinkCommand } from './wordpress-login.ts'

export const resetLinkOfApp = printed(appResetLink, 'link to a new password', resetLinkCommand)
export const loginLinkOfApp = printed(appLoginLink, 'link that signs in', loginLinkCommand)

function printed(
  contract: typeof appResetLink | typeof appLoginLink,
  what: string,
  command: (places: Layout, user: string) => TenantCommand,
): AnyProvisioner {
  return provision(contract, {
    async target({ user, ...about }: z.output<typeof contract.payload>, world): Promise<RunTarget> {
      mustHaveWordpress(world.machine, ['wpCli'])
      const wish = { ...about, command: command(world.machine.places, user), seconds: 120 }
      const target = await running.target(wish, world)
      if (target.php === null) throw new WcpError('conflict', `Cannot make a link for "${target.fqdn}": it has no PHP`)
      return target
    },
    steps(target: RunTarget, machine) {
      const run = { ...runOf(target, machine), readable: [machine.places.web.applications] }
      const help = 'WordPress must be in the document root, and the user one of its own.'
      return [endedRun(run, { name: what, failed: `Cannot make a ${what}`, help })]
    },
    settle() {},
  })
}
