import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Groups of tests; `test/run.ts` names them, and `WCP_REQUIRED_TESTS` makes a skip in one of them a failure. */
const serial = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000 }

export default defineConfig({
  test: {
    reporters: ['default'],
    // Of two processors vitest would leave one idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/faults/{history,log-lines,power-verdict}.test.ts'],
          testTimeout: 60_000,
          execArgv: ['--disable-warning=ExperimentalWarning'], // node:ffi, which the executable is allowed as well
        },
      },
      // bundles each role
      { test: { name: 'architecture', include: ['test/architecture/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'operations',
          include: ['test/operations/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'provisioners', include: ['test/provisioners/**/*.test.ts'] } },
      { test: { name: 'store', include: ['test/store/**/*.test.ts'], ...serial } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...serial } },
      { test: { name: 'faults', include: ['test/faults/**/f*.test.ts'], ...serial } },
      { test: { name: 'security', include: ['test/security/**/*.test.ts'], ...serial, testTimeout: 180_000 } },
      { test: { name: 'browser', include: ['test/browser/**/*.test.ts'], ...serial } },
      { test: { name: 'build', include: ['test/build/**/*.test.ts'], ...serial, testTimeout: 600_000 } },
      {
        test: {
          name: 'server-faults',
          include: ['test/faults/**/*.e2e.ts'],
          ...serial,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.ts'],
          ...serial,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
})
