/** F25: another build is installed while jobs are under way. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { copyPrebuilt } from '../e2e/installed.ts'
import { eventually } from '../e2e/server.ts'
import { Dice } from './power-dice.ts'
import { gatherFacts } from './power-facts.ts'
import { Load } from './power-load.ts'
import { replay } from './power-verdict.ts'
import { seed } from './rows.ts'
import { faultInWholeRun } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

/** The same program with a byte more: another file, so another build for the installer. */
const install = 'cd /root/wcp360 && printf "\\n" >>dist/wcpd && ./install.sh --prebuilt /root/wcp360/dist/wcpd'

export function upgradeFaults(server: () => FaultyServer): void {
  faultInWholeRun('F25', 'upgrade in the middle of jobs', 'no promise broken, each job ended once', async () => {
    const { machine, client } = server()
    await copyPrebuilt(machine)
    const agent = await server().pidOf('wcpd')
    const load = new Load(client, new Dice(seed), replay((await gatherFacts(machine)).panelJobs), 4)
    await sleep(3_000)
    await machine.succeed(install, { timeout: 600_000 })
    await sleep(3_000)
    await load.stop()

    await eventually(machine, 'wcp status', /nginx +running/, 300)
    expect(await server().pidOf('wcpd')).not.toBe(agent)
    expect(await server().findings()).toEqual([])
  })
}
