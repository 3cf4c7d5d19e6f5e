import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { apart } from './test/support/apart.ts'
import { LongestFirst } from './test/support/longest-first.ts'

/** Each group reads templates and styles as a checkout does. */
const setupFiles = ['./test/support/checkout-assets.ts']

/** Groups of tests; `test/run.ts` names them, and `WCP_REQUIRED_TESTS` makes a skip in one of them a failure. */
const serial = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000 }
/** Their servers have fixed ports and fixed uids. */
const sideBySide = { ...serial, fileParallelism: true, pool: apart }

export default defineConfig({
  test: {
    reporters: ['default'],
    // Of two processors vitest would leave one idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          setupFiles,
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'bench/**/*.test.ts',
            'test/faults/{history,log-lines,power-verdict,row-groups}.test.ts',
          ],
          testTimeout: 60_000,
          execArgv: ['--disable-warning=ExperimentalWarning'], // node:ffi, which the executable is allowed as well
        },
      },
      // bundles each role
      { test: { setupFiles, name: 'architecture', include: ['test/architecture/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          setupFiles,
          name: 'operations',
          include: ['test/operations/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      { test: { setupFiles, name: 'provisioners', include: ['test/provisioners/**/*.test.ts'] } },
      {
        test: {
          setupFiles,
          name: 'store',
          include: ['test/store/**/*.test.ts'], // each with a PostgreSQL of its own
          testTimeout: serial.testTimeout,
          hookTimeout: serial.hookTimeout,
        },
      },
      { test: { setupFiles, name: 'integration', include: ['test/integration/**/*.test.ts'], ...sideBySide } },
      { test: { setupFiles, name: 'faults', include: ['test/faults/**/f*.test.ts'], ...sideBySide } },
      {
        test: {
          setupFiles,
          name: 'security',
          include: ['test/security/**/*.test.ts'],
          ...sideBySide,
          testTimeout: 180_000,
        },
      },
      { test: { setupFiles, name: 'browser', include: ['test/browser/**/*.test.ts'], ...serial } },
      { test: { setupFiles, name: 'build', include: ['test/build/**/*.test.ts'], ...serial, testTimeout: 600_000 } },
      {
        test: {
          setupFiles,
          name: 'server-faults',
          include: ['test/faults/**/*.e2e.ts'],
          globalSetup: ['./test/e2e/build-once.ts'],
          ...serial,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          setupFiles,
          name: 'e2e',
          include: ['test/e2e/*.e2e.ts'],
          globalSetup: ['./test/e2e/build-once.ts'],
          // An emulated server takes little more than one processor: two files at once, each with its own server.
          fileParallelism: true,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      // The test machines themselves, for who changes them: every test on one fails when they do not work.
      {
        test: {
          setupFiles,
          name: 'harness',
          include: ['test/e2e/harness/*.e2e.ts'],
          ...serial,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
})
