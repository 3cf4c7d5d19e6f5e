/** Two people who want the same name at the same moment: one gets it, the other is told so in plain words. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { idempotency } from '../../src/panel/operations/idempotency.ts'
import { operationRunner } from '../../src/panel/operations/run-operation.ts'
import { operations } from '../../src/resources/index.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, root } from './harness.ts'

const never = () => Promise.reject(new Error('not asked here'))

function runnerOver(panel: Panel) {
  return operationRunner({
    db: panel.db,
    storesOf: panel.stores,
    registry: operations,
    idempotency: idempotency({ seal: randomBytes(32), codes: randomBytes(32) }),
    link: { ask: never, send: () => false, phpVersions: [], readOnly: null, setupOpen: false },
    files: { ask: never, read: never, change: never, write: never },
    logs: { scan: never },
    hasher: { hash: async () => '$test$', verify: never },
    repeats: { isInFull: () => true },
    panelHost: () => 'panel.example.net',
    log: pino({ level: 'silent' }),
    onChanged: () => {},
    onQueued: () => {},
    canMail: () => false,
    hasCertificatePort: false,
    linkUrl: (token) => token,
    web: { nameServers: [], visit: never, shown: never },
    closeSetupIfDone: never,
  })
}

const caller = { actor: root, ip: null, requestId: 'test', session: null }

onBothStores('the same name wanted by many at once', (bench) => {
  const outcomes = async (calls: readonly Promise<unknown>[]) =>
    (await Promise.allSettled(calls)).map((one) => (one.status === 'fulfilled' ? 'made' : one.reason.code)).sort()
  const five = Array(5).fill('conflict')

  it('makes one package and refuses the rest as conflicts', async () => {
    const { run } = runnerOver(await bench.panel())
    const create = () => run(caller, slices.package.create, { name: 'basic' })

    expect(await outcomes(Array.from({ length: 6 }, create))).toEqual([...five, 'made'])
  })

  it('makes one user and refuses the rest as conflicts', async () => {
    const { run } = runnerOver(await bench.panel())
    const ann = { email: 'ann@example.org', password: 'a quiet river', role: 'system_admin' }
    const create = () => run(caller, slices.user.create, ann)

    expect(await outcomes(Array.from({ length: 6 }, create))).toEqual([...five, 'made'])
  })

  it('makes one of many changes that were meant for the same version, and refuses the rest', async () => {
    const { run } = runnerOver(await bench.panel())
    await run(caller, slices.package.create, { name: 'basic', description: 'before' })
    const precondition = (present: unknown) => (present as { description: string }).description === 'before'
    const change = (_: unknown, index: number) =>
      run(caller, slices.package.update, { package: 'basic', description: `after ${index}` }, { precondition })
    const all = { precondition: () => true }
    await outcomes(Array.from({ length: 6 }, () => run(caller, slices.package.update, { package: 'basic' }, all))) // six connections

    const ends = await outcomes(Array.from({ length: 6 }, change))

    expect(ends).toEqual(['made', ...Array(5).fill('precondition_failed')])
  })
})
