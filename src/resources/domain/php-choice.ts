/** Which PHP a site gets. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { PhpVersion } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { badInput } from '../refusals.ts'

export const PhpChoice = z
  .enum([...PhpVersion.options, 'none'], { error: 'a PHP version such as 8.4, or none' })
  .describe('PHP version, or none for a site without PHP')
export type PhpChoice = z.output<typeof PhpChoice>

/** The version that was asked for if it is installed; without a wish the default of the settings, or the newest. */
export async function choosePhp(context: Context, what: string, choice: PhpChoice | undefined) {
  if (choice === 'none') return null
  const told = context.machine.phpVersions()
  if (told === null)
    throw new WcpError('unavailable', `Cannot ${what}: the root side has not told which PHP versions are installed`, {
      details: { retryAfterSeconds: 1 },
      help: 'Try again in a moment: it tells when it connects. "wcp doctor" says whether it runs.',
    })
  const installed = PhpVersion.options.filter((version) => told.includes(version))
  const wish = choice ?? (await context.settings.get('sites.default_php')) ?? installed.at(-1)
  if (wish === undefined)
    throw new WcpError('unavailable', `Cannot ${what}: no PHP version is installed`, {
      help: 'Install PHP-FPM; "none" makes a site without PHP.',
    })
  if (!installed.includes(wish))
    badInput(what, { field: 'php', problem: `${wish} is not installed`, accepted: [...installed, 'none'].join(', ') })
  return wish
}
