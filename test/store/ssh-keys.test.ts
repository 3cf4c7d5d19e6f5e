import { expect, it } from 'vitest'
import { sshKey as kind } from '../../src/resources/ssh-key/kind.ts'
import * as sshKey from '../../src/resources/ssh-key/operations.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, refusal } from './harness.ts'

const { tenant, package: packages } = slices
const other = kind.examples?.existing as { name: string; publicKey: string }
const laptop = { ...(kind.examples?.create as typeof other), tenant: 'acme' }

async function acme(panel: Panel): Promise<void> {
  await panel.run(packages.create, { name: 'basic' })
  await panel.run(tenant.create, { name: 'acme' })
  await panel.work()
}

const listed = async (panel: Panel) =>
  (await panel.run(sshKey.list, {})).items.map(({ name, status }) => `${name} ${status}`)

onBothStores('SSH keys', (bench) => {
  it('go into the trash with their tenant and come back as they were', async () => {
    const panel = await bench.panel()
    await acme(panel)
    await panel.run(sshKey.create, laptop)
    await panel.work()
    await panel.run(sshKey.create, { tenant: 'acme', ...other })
    await panel.work((job) => job.type === 'ssh-key.create')

    await panel.run(tenant.remove, { tenant: 'acme' })
    await panel.work()
    const gone = await listed(panel)
    await panel.run(tenant.restore, { tenant: 'acme' })
    await panel.work()

    expect(gone).toEqual([])
    expect(await listed(panel)).toEqual(['desktop error', 'laptop active'])
  })

  it('are made anew after a failure, and refused while they are there', async () => {
    const panel = await bench.panel()
    await acme(panel)
    const { id } = await panel.run(sshKey.create, laptop)
    await panel.work(() => true)

    const again = await panel.run(sshKey.create, laptop)
    await panel.work()

    expect(again.id).toBe(id)
    expect(await listed(panel)).toEqual(['laptop active'])
    expect(await refusal(panel.run(sshKey.create, laptop))).toMatchObject({ code: 'conflict' })
  })

  it('are gone at once when they are deleted', async () => {
    const panel = await bench.panel()
    await acme(panel)
    const { id } = await panel.run(sshKey.create, laptop)
    await panel.work()

    await panel.run(sshKey.remove, { sshKey: id })
    await panel.work()

    expect(await panel.db.selectFrom('ssh_keys').selectAll().execute()).toEqual([])
  })
})
