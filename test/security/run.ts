/**
 * `npm run test:security [-- --all] [group …]`: attacks the product in every way that is known here, prints a table with one
 * row for each class of attacks and the number of cases tried, and ends with `N passed, N failed`. With `--all` the evil
 * panel speaks a million frames, going on where an interrupted run of the same executable stopped.
 */
import { hosting, nameServer, overlay, program } from '../support/requirements.ts'
import { type Group, runSuite, vitest } from '../support/row-groups.ts'

const missing = () => hosting() ?? nameServer() ?? overlay() ?? program('strace', 'strace') ?? program('php', 'php-cli')

const groups: readonly Group[] = [
  {
    name: 'classes',
    summary: 'C01-C38, validators, shells',
    argv: vitest('security'),
    beside: 'all',
    isApart: true,
    missing,
  },
  {
    name: 'evil-panel',
    summary: 'raw frames from a panel in wrong hands',
    argv: ['test/security/evil-main.ts'],
    beside: 'all',
    isApart: true,
    missing,
  },
]

process.exitCode = await runSuite({ name: 'security', column: 'class', groups })
