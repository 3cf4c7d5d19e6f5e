/**
 * `npm run test:faults [-- --all] [group …]`: breaks the product in every way that is known here, prints a table of faults,
 * cases and outcomes, and ends with `N passed, N failed`. Without `--all` it runs a sample that changes by commit; with it
 * everything, going on where an interrupted whole run of the same sources stopped.
 */
import { hosting, program, root } from '../support/requirements.ts'
import { type Group, runSuite, vitest } from '../support/row-groups.ts'

const groups: readonly Group[] = [
  { name: 'faults', summary: 'F01-F34, one test each', argv: vitest('faults'), missing: hosting },
  {
    name: 'crash',
    summary: 'each system call of each job killed and failed',
    argv: ['test/faults/crash-main.ts'],
    beside: 'agents',
    isApart: true,
    missing: () => hosting() ?? program('strace', 'strace'),
  },
  {
    name: 'kills',
    summary: 'the agent killed at random under load',
    argv: ['test/faults/kills-main.ts'],
    beside: 'agents',
    isApart: true,
    missing: hosting,
  },
  {
    name: 'server',
    summary: 'those that need a whole server with systemd',
    argv: vitest('server-faults'),
    missing: root,
  },
  { name: 'power', summary: 'power cuts of a whole server', argv: ['test/faults/power-main.ts'], missing: root },
]

process.exitCode = await runSuite({ name: 'faults', column: 'fault', groups })
