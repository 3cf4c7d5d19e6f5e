/** Logins by SSH in the audit trail, and sessions as those see them who may. */
import { expect, it } from 'vitest'
import type { SshSession } from '../../src/contract/ssh-session.ts'
import { Id } from '../../src/contract/values.ts'
import type { Actor } from '../../src/resources/actor.ts'
import * as sshSession from '../../src/resources/ssh-session/operations.ts'
import { loginRecorder } from '../../src/resources/ssh-session/recorder.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, refusal } from './harness.ts'

const { tenant, package: packages } = slices
const silent = { debug() {}, error() {} } as never
const at = '2026-03-01T12:00:00.000Z'
const session = (of: string, more: Partial<SshSession> = {}): SshSession => {
  const key = { id: newId(), name: 'laptop' }
  return { id: newId(), tenant: Id.parse(of), at, from: '203.0.113.7', key, isOpen: true, ...more }
}

onBothStores('sessions by SSH', (bench) => {
  it('are written into the trail once, whoever writes them and however often they are told', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    const { id } = await panel.run(tenant.create, { name: 'acme' })
    const [one, other] = [session(id), session(id, { key: null, from: null, isOpen: false })]
    const asked: (readonly Id[])[] = []
    const recorder = () =>
      loginRecorder({
        db: panel.db,
        storesOf: panel.stores,
        log: silent,
        ask: async (told) => {
          asked.push(told)
          return [one, other]
        },
      })

    const first = recorder()
    await first.wake()
    await first.wake()
    await recorder().wake()

    const { items } = await panel.stores(panel.db).audit.list({ limit: 50, action: 'ssh-session.open' })
    expect(items.map(({ actor, ip, tenantId }) => [actor, ip, tenantId])).toEqual([
      ['nobody', null, id],
      ['ssh-key laptop', '203.0.113.7', id],
    ])
    expect(items.map((entry) => entry.id)).toEqual([other.id, one.id])
    expect(asked).toEqual([[], [one.id, other.id], []])
    expect(await panel.stores(panel.db).audit.verify([])).toMatchObject({ ok: true })
  })

  it('are seen and ended by their tenant and those above it alone, while they are open', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    const [mine, theirs] = [
      (await panel.run(tenant.create, { name: 'acme' })).id,
      (await panel.run(tenant.create, { name: 'other' })).id,
    ]
    const [own, foreign, over] = [session(mine), session(theirs), session(mine, { isOpen: false })]
    panel.machine.sshSessions = [own, foreign, over]
    const baker: Actor = {
      kind: 'user',
      id: newId(),
      email: 'baker@example.com',
      permissions: 'all',
      scope: { kind: 'local', tenant: mine, user: newId() },
    }

    expect((await panel.run(sshSession.list, {}, baker)).items).toMatchObject([{ id: own.id, key: 'laptop' }])
    expect((await panel.run(sshSession.list, { tenant: 'other' })).items).toMatchObject([{ tenantName: 'other' }])
    for (const id of [foreign.id, over.id])
      expect(await refusal(panel.run(sshSession.end, { sshSession: id }, baker))).toMatchObject({ code: 'not_found' })
    await panel.run(sshSession.end, { sshSession: own.id }, baker)

    expect(panel.machine.ended).toEqual([own.id])
  })

  it('come in pages', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    const { id } = await panel.run(tenant.create, { name: 'acme' })
    panel.machine.sshSessions = Array.from({ length: 5 }, () => session(id))
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: { items: { id: string }[]; nextCursor: string | null } = await panel.run(sshSession.list, {
        limit: 2,
        ...(cursor !== null && { cursor }),
      })
      seen.push(...page.items.map((one) => one.id))
      cursor = page.nextCursor
    } while (cursor !== null)

    expect(seen).toEqual(panel.machine.sshSessions.map((one) => one.id).toSorted())
  })
})
