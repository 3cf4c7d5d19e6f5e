/** The same texts in every field of every operation, as root, who is refused the least. */
import { operations } from '../../src/resources/index.ts'
import { ask } from '../operations/support/client.ts'
import { inputFor, requestFor } from '../operations/support/world.ts'
import type { Stage } from './stage.ts'
import type { Tally } from './tally.ts'

/** Texts for people, and the words of a tenant's own command, which no shell reads. */
const anyText = ['description', 'displayName', 'note', 'title', 'command']
/** These would make, suspend who is needed, or run; what they would do is asked for. */
const planned = ['displayName', 'note', 'title', 'command']

/** What comes with the address and not in a body is cut to this. */
const longestInAddress = 4000

/** @param shapes values that are no texts, for bodies. The machine must be told of none; no answer may be a failure of the panel. */
export async function inEveryText(
  stage: Stage,
  tally: Tally,
  payloads: readonly string[],
  shapes: readonly unknown[] = [],
): Promise<void> {
  const jobsBefore = await jobCount(stage)
  for (const operation of operations) {
    const base = inputFor(operation, stage)
    for (const field of operation.fields.filter(({ type }) => type === 'text' || type === 'list')) {
      // A new password is not run through anything, and this one is needed.
      if (operation.name === 'user.update' && field.name === 'password') continue
      const isInBody = requestFor(operation, base).body !== undefined && !operation.http.includes(`{${field.name}}`)
      const texts = isInBody ? payloads : payloads.map((text) => text.slice(0, longestInAddress))
      const values = texts.map((text) => (field.type === 'list' ? [text] : text))
      for (const value of isInBody ? [...values, ...shapes] : values) {
        const answer = await ask(
          { socketPath: stage.product.places.cliSocket },
          requestFor(operation, { ...base, [field.name]: value }, planned.includes(field.name)),
        )
        const mustRefuse = operation.effect === 'machine' && !anyText.includes(field.name)
        const what = `${operation.name} ${field.name}=${JSON.stringify(value)?.slice(0, 60)}: ${answer.status}`
        // the root side plans no installation where there is no database server
        const isOfOthers = field.name === 'title' && answer.status === 503 && answer.json().code === 'unavailable'
        tally.held((answer.status < 500 || isOfOthers) && (!mustRefuse || answer.status >= 400), what)
      }
    }
  }
  tally.same(await jobCount(stage), jobsBefore, 'jobs were queued')
}

async function jobCount(stage: Stage): Promise<number> {
  return (await stage.root('GET', '/jobs?limit=200')).json().items?.length ?? -1
}
