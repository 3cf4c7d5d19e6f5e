import { expect, it } from 'vitest'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, refusal } from './harness.ts'

const { tenant, package: packages } = slices

onBothStores('display names', (bench) => {
  const made = async (panel: Panel, name: string, displayName?: string) => {
    await panel.run(tenant.create, { name, ...(displayName !== undefined && { displayName }) })
    await panel.work()
  }
  const shown = async (panel: Panel, name: string) => (await panel.run(tenant.get, { tenant: name })).displayName
  const found = async (panel: Panel, search: string) =>
    (await panel.run(tenant.list, { search })).items.map(({ name }) => name)
  const opened = async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    await made(panel, 'compa', 'Company-A GmbH')
    return panel
  }

  it('are kept as they were written, changed without a job, and searched', async () => {
    const panel = await opened()
    await made(panel, 'other')
    const before = [await shown(panel, 'compa'), await shown(panel, 'other'), await found(panel, 'COMPANY-a')]
    const { jobId } = await panel.run(tenant.update, { tenant: 'compa', displayName: 'Straße & Söhne_1' })

    expect(before).toEqual(['Company-A GmbH', null, ['compa']])
    expect([jobId, await shown(panel, 'compa')]).toEqual([null, 'Straße & Söhne_1'])
    expect([await found(panel, 'company'), await found(panel, 'SÖHNE_1'), await found(panel, 'SÖHNE%1')]).toEqual([
      [],
      ['compa'],
      [],
    ])
    await panel.run(tenant.update, { tenant: 'compa', displayName: null })
    expect([await shown(panel, 'compa'), await found(panel, 'söhne')]).toEqual([null, []])
  })

  it.each(['Company-A GmbH', 'company-a  gmbh', 'Ｃompany-A\u200b GmbH', '  COMPANY-A GMBH '])(
    'that look the same are one name: %j is refused by its field',
    async (displayName) => {
      const panel = await opened()
      await made(panel, 'other')
      const tries = [
        panel.run(tenant.create, { name: 'third', displayName }),
        panel.run(tenant.update, { tenant: 'other', displayName }),
      ]

      for (const refused of await Promise.all(tries.map(refusal)))
        expect(refused).toMatchObject({ code: 'conflict', fields: [{ field: 'displayName', problem: 'is taken' }] })
      await panel.run(tenant.update, { tenant: 'compa', displayName })
    },
  )

  it('are free while their tenant is in the trash, and needed again for its restore', async () => {
    const panel = await opened()
    await panel.run(tenant.remove, { tenant: 'compa' })
    await panel.work()
    await made(panel, 'other', 'Company-A GmbH')
    const refused = await refusal(panel.run(tenant.restore, { tenant: 'compa' }))
    await panel.run(tenant.update, { tenant: 'other', displayName: null })
    await panel.run(tenant.restore, { tenant: 'compa' })
    const meanwhile = await refusal(panel.run(tenant.update, { tenant: 'other', displayName: 'Company-A GmbH' }))
    await panel.work()

    for (const { fields } of [refused, meanwhile]) expect(fields).toMatchObject([{ field: 'displayName' }])
    expect(await shown(panel, 'compa')).toBe('Company-A GmbH')
  })

  it('of a tenant that could not be made are those of the request that makes it anew', async () => {
    const panel = await opened()
    await panel.run(tenant.create, { name: 'late', displayName: 'Too late' })
    await panel.work(() => true)
    await made(panel, 'late', 'In time')

    expect(await shown(panel, 'late')).toBe('In time')
    await made(panel, 'third', 'Too late')
  })

  it('have something to be seen', async () => {
    const panel = await opened()
    const unseen = { tenant: 'compa', displayName: '\u200b' }

    expect(await refusal(panel.run(tenant.update, unseen))).toMatchObject({
      code: 'bad_input',
      fields: [{ field: 'displayName' }],
    })
  })
})
