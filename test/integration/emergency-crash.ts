/** An agent that is killed in the middle of a suspension: its first effect is on the disk, and nothing after it. */
import '../support/checkout-assets.ts'
import { layout } from '../../src/agent/os/layout.ts'
import { openRescue, withEngine } from '../../src/agent/rescue/machine.ts'

const [, , root = '', job = '', tenant = '', token = ''] = process.argv
const rescue = await openRescue(layout(root))
const { files } = rescue.machine
const deadly = {
  ...files,
  async remove(path: string) {
    await files.remove(path)
    process.kill(process.pid, 'SIGKILL')
  },
}
await withEngine({ ...rescue, machine: { ...rescue.machine, files: deadly } }, async (engine, said) => {
  const from = { epoch: 1, staff: true, reseller: null } // after the reset of the fences
  engine.handle({ t: 'job', job, type: 'tenant.suspend', token: Number(token), ...from, payload: { tenant } })
  await said.first('finished', () => true)
})
