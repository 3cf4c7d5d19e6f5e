/** What is chosen for PHP of a site, in the store, on both stores. */
import { expect, it } from 'vitest'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import type { Panel } from './harness.ts'

const { tenant, domain, package: packages } = slices
const fqdn = 'bakery.example.com'

onBothStores('PHP of a site', (bench) => {
  async function bakery(): Promise<Panel> {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic', memMb: 512 })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()
    await panel.run(domain.create, { tenant: 'acme', fqdn })
    await panel.work()
    return panel
  }

  const choose = async (panel: Panel, wish: object, fails = false) => {
    const answer = await panel.run(domain.update, { domain: fqdn, ...wish } as never)
    await panel.work(() => fails)
    return answer
  }
  const options = async (panel: Panel) => {
    const found = await panel.run(domain.get, { domain: fqdn })
    return Object.fromEntries(Object.entries(found).filter(([key]) => key.startsWith('php') && key !== 'php'))
  }
  const nothing = {
    ...{ phpMemoryMb: null, phpUploadMb: null, phpMaxSeconds: null, phpInputVars: null, phpTimezone: null },
    ...{ phpErrorLevel: null, phpShowErrors: false, phpOpcache: true, phpJit: false, phpOwnSessions: false },
  }

  it('changes one by one, others stay, and none is as none was', async () => {
    const panel = await bakery()
    expect(await options(panel)).toEqual(nothing)

    await choose(panel, { phpMemoryMb: 128, phpTimezone: 'Europe/Vienna', phpOpcache: false })
    await choose(panel, { phpShowErrors: true, documentRoot: 'web' })
    const some = { phpMemoryMb: 128, phpTimezone: 'Europe/Vienna', phpOpcache: false, phpShowErrors: true }
    expect(await options(panel)).toEqual({ ...nothing, ...some })

    expect(await choose(panel, { phpMemoryMb: 128, phpShowErrors: true })).toMatchObject({ jobId: null })
    await choose(panel, { phpMemoryMb: null, phpTimezone: null, phpOpcache: true, phpShowErrors: false })
    expect(await options(panel)).toEqual(nothing)
    expect(await panel.run(domain.get, { domain: fqdn })).toMatchObject({ documentRoot: 'web' })
  })

  it('is again what it was when the machine cannot change it', async () => {
    const panel = await bakery()
    await choose(panel, { phpMaxSeconds: 60, phpOwnSessions: true })
    await choose(panel, { phpMaxSeconds: 90, phpJit: true }, true)

    expect(await options(panel)).toEqual({ ...nothing, phpMaxSeconds: 60, phpOwnSessions: true })
  })

  it('is refused by the field, with the reason and what is accepted', async () => {
    const panel = await bakery()
    for (const [wish, field, accepted] of [
      [{ phpMemoryMb: 31 }, 'phpMemoryMb', 'from 32 to 8192'],
      [{ phpMemoryMb: 513 }, 'phpMemoryMb', '32 to 512'],
      [{ phpUploadMb: 129 }, 'phpUploadMb', 'from 1 to 128'],
      [{ phpMaxSeconds: 301 }, 'phpMaxSeconds', 'from 1 to 300'],
      [{ phpInputVars: 1 }, 'phpInputVars', 'from 100 to 100000'],
      [{ phpTimezone: 'Europe/Atlantis' }, 'phpTimezone', 'Europe/Vienna'],
      [{ phpErrorLevel: 'most' }, 'phpErrorLevel', 'errors, warnings, notices or all'],
      [{ phpJit: true, phpOpcache: false }, 'phpJit', 'phpOpcache true'],
    ] as const) {
      const refused = await choose(panel, wish).catch((error: unknown) => error)
      expect(JSON.stringify({ ...(refused as object) }), field).toContain(field)
      expect(JSON.stringify({ ...(refused as object) }), field).toContain(accepted)
    }
    expect(await options(panel)).toEqual(nothing)
  })
})
