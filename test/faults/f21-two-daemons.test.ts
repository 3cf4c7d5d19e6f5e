/** F21: a second agent, and a second panel, over the same directory. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { executable } from '../support/executable.ts'
import { inWorld, siteOf } from './world.ts'

it(
  'refuses a second agent before it touches anything',
  inWorld('F21', 'second agent over the same directory', 'code 75 in one line; the first serves on', async (world) => {
    const { product } = world
    const starts = await Promise.all([product.startInVain(), product.startInVain(), product.startInVain()])

    for (const { code, said } of starts) {
      expect(code).toBe(75)
      expect(said).toMatch(
        new RegExp(`^Cannot start: wcpd runs already, process ${product.pids.agent} holds ".*/lock"\n$`),
      )
    }
    await world.oracle()
  }),
)

it(
  'refuses a second panel before it takes the sockets away from the first',
  inWorld('F21', 'second panel over the same state', 'code 75 in one line; the first serves on', async (world) => {
    const { product } = world
    const { places } = product
    const env = {
      CREDENTIALS_DIRECTORY: places.panelCredentials,
      STATE_DIRECTORY: places.panelState,
      RUNTIME_DIRECTORY: places.panelRun,
    }
    const argv = ['--reuid=wcp360', '--regid=wcp360', '--clear-groups', '--', executable(), 'panel']
    const ended = await promisify(execFile)('/usr/bin/setpriv', argv, { env, timeout: 20_000 }).catch((error) => error)

    expect(ended).toMatchObject({ code: 75, stderr: expect.stringMatching(/^Cannot start: .*another panel.*\n$/) })
    expect(await product.visit(siteOf('neighbour'))).toBe(200)
    await world.oracle()
  }),
)
