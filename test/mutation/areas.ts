/** The core that must notice accidents, and the test files that look at each part, quick ones first. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const repository = resolve(import.meta.dirname, '../..')

export interface Part {
  readonly source: string
  readonly tests: readonly string[]
  /** They take minutes: run for what the others did not notice, and only when asked for. */
  readonly slow?: readonly string[]
}

const intakeTests = ['src/agent/jobs/intake.test.ts', 'test/provisioners/engine.test.ts']
const jobTests = ['src/agent/jobs/run-job.test.ts', 'src/agent/jobs/journal.test.ts', 'src/agent/jobs/intake.test.ts']
const everyJob = ['test/provisioners/every-job.test.ts', 'test/provisioners/every-other-job.test.ts']
const stepTests = ['src/agent/steps/steps.test.ts', 'src/agent/steps/said.test.ts', 'src/agent/steps/ownership.test.ts']
const runnerTests = ['src/panel/jobs/job-runner.test.ts', 'test/operations/jobs.test.ts']
const doorTests = [
  'test/operations/door.test.ts',
  'test/operations/versions.test.ts',
  'test/operations/idempotency.test.ts',
  'test/operations/asked-again.test.ts',
  'test/operations/api-keys.test.ts',
  'test/operations/impersonation.test.ts',
  'test/operations/factors.test.ts',
]
const everyOperation = ['test/operations/matrix.test.ts', 'test/operations/every-operation.test.ts']
const signInTests = [
  'test/operations/factors.test.ts',
  'test/operations/certificates.test.ts',
  'test/operations/impersonation.test.ts',
  'test/operations/auth.test.ts',
]

const steps = [
  'absent-path',
  'applied-limits',
  'directory',
  'ended-run',
  'entry-step',
  'handed-over-tree',
  'link',
  'moved-path',
  'purged-tree',
  'secret-file',
  'stopped-fpm',
  'stopped-tenant',
  'text-file',
]

const listed: readonly Part[] = [
  ...['intake', 'phases', 'job-gate', 'parse-job', 'questions', 'root-check'].map((name) => ({
    source: `src/agent/jobs/${name}.ts`,
    tests: [...intakeTests, 'test/provisioners/brake.test.ts'],
  })),
  { source: 'src/agent/jobs/journal.ts', tests: [...jobTests, 'test/provisioners/engine.test.ts'], slow: everyJob },
  { source: 'src/agent/jobs/run-job.ts', tests: [...jobTests, 'test/provisioners/engine.test.ts'], slow: everyJob },
  { source: 'src/agent/jobs/recover.ts', tests: [...jobTests, 'test/provisioners/engine.test.ts'], slow: everyJob },
  { source: 'src/agent/jobs/captures.ts', tests: [...jobTests, 'test/provisioners/engine.test.ts'], slow: everyJob },
  ...['work', 'mode', 'engine-state'].map((name) => ({ source: `src/agent/jobs/${name}.ts`, tests: intakeTests })),
  { source: 'src/agent/jobs/ends.ts', tests: intakeTests },
  { source: 'src/agent/jobs/lookup.ts', tests: intakeTests },
  { source: 'src/agent/jobs/lanes.ts', tests: intakeTests },
  { source: 'src/agent/jobs/brake.ts', tests: ['test/provisioners/brake.test.ts'] },
  { source: 'src/agent/jobs/registry.ts', tests: [...jobTests, 'test/provisioners/hostile.test.ts'], slow: everyJob },
  { source: 'src/agent/kinds/judge.ts', tests: ['test/provisioners/hostile.test.ts'], slow: everyJob },
  { source: 'src/agent/kinds/facts-kind.ts', tests: ['test/provisioners/ssh-key.test.ts'], slow: everyJob },
  ...steps.map((name) => ({ source: `src/agent/steps/${name}.ts`, tests: stepTests, slow: everyJob })),
  ...['run-operation', 'admit', 'audit-call', 'refusals', 'password-hashes'].map((name) => ({
    source: `src/panel/operations/${name}.ts`,
    tests: doorTests,
    slow: everyOperation,
  })),
  {
    source: 'src/panel/operations/idempotency.ts',
    tests: [
      'src/panel/operations/idempotency.test.ts',
      'test/operations/idempotency.test.ts',
      'test/operations/asked-again.test.ts',
    ],
  },
  {
    source: 'src/panel/auth/api-keys.ts',
    tests: [
      'src/panel/auth/api-keys.test.ts',
      'test/operations/api-keys.test.ts',
      'test/operations/signed-requests.test.ts',
    ],
  },
  {
    source: 'src/panel/auth/signed-requests.ts',
    tests: ['src/panel/auth/signed-requests.test.ts', 'test/operations/signed-requests.test.ts'],
  },
  {
    source: 'src/panel/auth/challenges.ts',
    tests: ['test/store/challenges.test.ts', 'test/operations/factors.test.ts'],
  },
  {
    source: 'src/panel/auth/sign-in.ts',
    tests: signInTests,
  },
  {
    source: 'src/panel/auth/sessions.ts',
    tests: ['test/store/sessions.test.ts', ...signInTests],
  },
  { source: 'src/panel/auth/throttle.ts', tests: ['src/panel/auth/throttle.test.ts'] },
  { source: 'src/panel/auth/csrf.ts', tests: ['src/panel/auth/csrf.test.ts', 'test/operations/auth.test.ts'] },
  {
    source: 'src/resources/scope.ts',
    tests: ['test/operations/tenants.test.ts', 'test/operations/matrix.test.ts'],
  },
  {
    source: 'src/panel/http/quota.ts',
    tests: ['src/panel/http/quota.test.ts', 'test/operations/rate-limits.test.ts'],
  },
  {
    source: 'src/panel/http/rate-limits.ts',
    tests: ['test/operations/rate-limits.test.ts', 'test/operations/shared-limits.test.ts'],
  },
  { source: 'src/panel/jobs/job-runner.ts', tests: runnerTests },
  { source: 'src/panel/jobs/job-queue.ts', tests: [...runnerTests, 'test/store/queue.test.ts'] },
]

/** The test file beside a source comes first, and needs not be named. */
export const parts: readonly Part[] = listed.map(({ source, tests, slow = [] }) => {
  const beside = source.replace(/\.ts$/, '.test.ts')
  return { source, slow, tests: existsSync(join(repository, beside)) ? [...new Set([beside, ...tests])] : tests }
})
