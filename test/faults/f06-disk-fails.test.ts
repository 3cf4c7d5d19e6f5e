/** F05 and F06: the disk says EIO, or the quota is used up, in the middle of a job. */
import { expect, it } from 'vitest'
import { inject } from './injected.ts'
import { isWhole } from './rows.ts'
import { inWorld, refusal, siteOf, until, type World } from './world.ts'

const explained = [
  /^journal cannot be used, nothing more will be changed$/,
  /^job is resumed$/,
  /^step failed$/,
  /^step could not be undone$/,
  /^a job failed$/,
  /^an operation failed$/,
  /^queued jobs could not be sent$/,
  /^jobs could not be watched$/,
  /^housekeeping failed$/,
  /^the audit trail could not be sent$/,
  /^mark of the end of the audit log cannot be written$/,
]

/** A tenant is made while calls of one side fail; afterwards it is there, or nothing of it. */
async function makeTenant(world: World, pid: number, calls: string, rule: string): Promise<void> {
  const { product } = world
  const injection = await inject(pid, calls, rule)
  const ended = product.ended()
  let exitCode: number | null | undefined
  ended.then((code) => {
    exitCode = code
  })
  const refused = await refusal(world.createTenant('beta'))
  const hasBroken = () => injection.count() > 0 || refused !== undefined
  await until('the call has failed', hasBroken, 10_000)
  await until('the jobs have ended or the agent has', async () => exitCode !== undefined || (await isQuiet(world)))
  await injection.end()
  if (exitCode !== undefined) {
    expect(exitCode).toBe(74)
    await product.start()
  }

  const jobs = await world.settled()

  for (const { state } of jobs) expect(['succeeded', 'failed']).toContain(state)
  const isMade = jobs.some(
    ({ type, tenantName, state }) => `${type} ${tenantName} ${state}` === 'domain.create beta succeeded',
  )
  expect(await product.visit(siteOf('beta'))).toBe(isMade ? 200 : 0)
  await world.oracle(explained)
}

async function isQuiet(world: World): Promise<boolean> {
  const jobs = await world.jobs().catch(() => [])
  return jobs.length > 0 && jobs.every(({ state }) => state === 'succeeded' || state === 'failed')
}

const nth = isWhole ? Array.from({ length: 24 }, (_, index) => index + 1) : [1, 5]

it.each(nth)('the agent ends or undoes when its fsync number %i says EIO', (when) =>
  inWorld('F06', 'EIO on an fsync of the agent', 'undone, or ended with 74 and settled at the next start', (world) =>
    makeTenant(world, world.product.pids.agent, 'fsync', `error=EIO:when=${when}`),
  )(),
)

it.each(isWhole ? [1, 2, 3, 4, 5, 6] : [2])('the panel stays when its fsync number %i says EIO', (when) =>
  inWorld('F06', 'EIO on an fsync of the panel', 'the request is refused or retried; nothing half-stored', (world) =>
    makeTenant(world, world.product.pids.panel ?? -1, 'fsync', `error=EIO:when=${when}`),
  )(),
)

it.each(isWhole ? ['mkdir', 'openat', 'rename', 'symlink', 'write'] : ['mkdir'])(
  'a quota that is used up at %s is told as that',
  (call) =>
    inWorld('F05', 'EDQUOT in a step of the agent', 'the job failed with "quota" and was undone', async (world) => {
      const { product } = world
      const injection = await inject(product.pids.agent, call, 'error=EDQUOT:when=1')
      await world.createTenant('beta')
      const jobs = await world.settled()
      await injection.end()

      const failures = jobs.flatMap(({ failure }) => (failure === null ? [] : [failure.message]))
      expect(failures.join('; ')).toContain('EDQUOT: disk quota exceeded')
      await world.oracle(explained)
    })(),
)
