import { existsSync } from 'node:fs'
import { fieldsOf } from '../../src/lib/fields.ts'
import { operations } from '../../src/resources/index.ts'
import { ask } from '../operations/support/client.ts'
import { inputFor, requestFor } from '../operations/support/world.ts'
import type { Tried } from './attack-class.ts'
import { shellsOf } from './executed.ts'
import type { Stage } from './stage.ts'

const canary = '/tmp/wcp-c01-canary'
const payloads = [
  `;id>${canary}`,
  `$(id>${canary})`,
  `\`id>${canary}\``,
  `|tee ${canary}`,
  `&& touch ${canary}`,
  `x$\{IFS}y`,
  `a\nid>${canary}\n`,
  '%0aid',
  'a\0b',
  `"'; touch ${canary} #`,
  'x'.repeat(200_000),
]

/** Every text of every operation, as root, who is refused the least. */
export const shellInjection: Tried = {
  name: 'shell injection in every field',
  holds: 'refused before a job was queued, and nothing ran',
  async attack(stage, tally) {
    const jobsBefore = await jobCount(stage)
    for (const operation of operations) {
      const base = inputFor(operation, stage)
      for (const field of fieldsOf(operation.input).filter(({ type }) => type === 'text' || type === 'list')) {
        // A new password is not run through anything, and this one is needed.
        if (operation.name === 'user.update' && field.name === 'password') continue
        const isInBody = requestFor(operation, base).body !== undefined && !operation.http.includes(`{${field.name}}`)
        const shapes = isInBody ? [[payloads[1]], { a: payloads[1] }, 7] : []
        const texts = isInBody ? payloads : payloads.map((text) => text.slice(0, 4000))
        for (const payload of [...texts.map((text) => (field.type === 'list' ? [text] : text)), ...shapes]) {
          const answer = await ask(
            { socketPath: stage.product.places.cliSocket },
            requestFor(operation, { ...base, [field.name]: payload }),
          )
          const mustRefuse = operation.effect === 'machine' && field.name !== 'description' // which is a text for people
          const what = `${operation.name} ${field.name}=${JSON.stringify(payload)?.slice(0, 60)}: ${answer.status}`
          tally.held(answer.status < 500 && (!mustRefuse || answer.status >= 400), what)
        }
      }
    }
    tally.same(await jobCount(stage), jobsBefore, 'jobs were queued')
    tally.held(!existsSync(canary), `"${canary}" was made`)
    tally.same(shellsOf(stage.executed()), [], 'a shell ran')
  },
}

async function jobCount(stage: Stage): Promise<number> {
  return (await stage.root('GET', '/jobs?limit=200')).json().items?.length ?? -1
}
