/** F30: the power fails in each step of the installer; the same command afterwards ends with a panel that answers. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Machine } from '../e2e/harness/machine.ts'
import { start } from '../e2e/harness/start.ts'
import { copyPrebuilt } from '../e2e/installed.ts'
import { Dice } from './power-dice.ts'
import { isWhole, seed } from './rows.ts'
import { fault } from './server-fault.ts'

const install = './install.sh --prebuilt /root/wcp360/dist/wcpd'
const allSteps = [1, 2, 3, 4, 5, 6, 7, 8, 9]

describe.runIf(isWhole)('the installer', () => {
  const dice = new Dice(seed)
  let machine: Machine

  beforeAll(async () => {
    machine = await start('trixie-ready')
    await copyPrebuilt(machine)
    await machine.succeed('sync')
  })

  afterAll(() => machine?.stop())

  for (const step of allSteps)
    fault('F30', `power cut in step ${step} of the installer`, 'boots with no failed unit', async () => {
      const pause = (dice.between(0, 1500) / 1000).toFixed(2)
      await machine.succeed(
        `cd /root/wcp360
        setsid ${install} </dev/null >/root/cut.log 2>&1 & installer=$!
        until grep -q '^\\[${step}/9\\]' /root/cut.log; do kill -0 $installer || exit 1; sleep 0.02; done
        sleep ${pause}`,
        { timeout: 300_000 },
      )
      await machine.powerCut()
      await machine.bootAgain()

      expect(await machine.settled()).toEqual([])
    })

  fault(
    'F30',
    'the installer run again after that',
    'ends with a panel that answers, and doctor finds nothing',
    async () => {
      expect(await machine.succeed(`cd /root/wcp360 && ${install}`, { timeout: 600_000 })).toMatch(/WCP360 .* runs\./)
      expect(await machine.succeed(['wcp', 'doctor'])).not.toMatch(/FAIL/)
      const empty = 'find /opt/wcp360 /etc/wcp360 /etc/systemd/system /etc/pam.d -type f -size 0 ! -name setup-closed'
      expect(await machine.succeed(empty)).toBe('')
    },
  )
})
