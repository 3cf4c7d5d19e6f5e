import { existsSync } from 'node:fs'
import type { Tried } from './attack-class.ts'
import { inEveryText } from './every-text.ts'
import { shellsOf } from './executed.ts'

const canary = '/tmp/wcp-c01-canary'
const substitution = `$(id>${canary})`
const payloads = [
  `;id>${canary}`,
  substitution,
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

export const shellInjection: Tried = {
  name: 'shell injection in every field',
  holds: 'refused before a job was queued, and nothing ran',
  async attack(stage, tally) {
    await inEveryText(stage, tally, payloads, [[substitution], { a: substitution }, 7])
    tally.held(!existsSync(canary), `"${canary}" was made`)
    tally.same(shellsOf(stage.executed()), [], 'a shell ran')
  },
}
