/** The root side's share in a new password or a new administrator: the store is asked, and setup is closed for ever. */
import { randomUUID } from 'node:crypto'
import type { RescueReport, RescueRequest } from '../../contract/rescue.ts'
import { Id } from '../../contract/values.ts'
import { type Rescue, withEngine } from './machine.ts'
import { errorOf, HalfDone, startAgain } from './report.ts'
import { askStore } from './store.ts'

export async function rescuePerson(
  rescue: Rescue,
  request: Extract<RescueRequest, { do: 'reset-password' | 'create-admin' }>,
): Promise<RescueReport> {
  const { did, next } = await askStore(rescue, request, 'person')
  const report = { did, next: [...next, `${startAgain} Then sign in with the new password.`] }
  if (request.do === 'reset-password') return report
  try {
    return { ...report, did: [...did, ...(await closeSetup(rescue))] }
  } catch (cause) {
    throw new HalfDone(report, cause)
  }
}

/** As the panel asks for it once the first administrator exists. */
function closeSetup(rescue: Rescue): Promise<string[]> {
  return withEngine(rescue, async (engine, said) => {
    if (!engine.setupOpen) return []
    const ask = Id.parse(randomUUID())
    engine.handle({ t: 'close_setup', ask })
    const { failure } = await said.first('answer', (answer) => answer.ask === ask)
    if (failure !== null) throw errorOf(failure)
    return ["Root's login to the setup page is closed for ever."]
  })
}
