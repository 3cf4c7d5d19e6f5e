/** What a plan answers, as people read it. */
import { z } from 'zod'
import { Change } from '../contract/wire.ts'
import { type Output, paint, printChanges } from '../lib/print.ts'

const Plan = z.looseObject({ plan: z.array(z.looseObject({ type: z.string(), changes: z.array(Change) })) })

export function printPlan(output: Output, body: unknown): void {
  const { plan } = Plan.parse(body)
  for (const { type, changes } of plan) {
    output.out(paint(output, 'bold', `${type}\n`))
    printChanges(output, changes)
  }
  const count = plan.flatMap(({ changes }) => changes).filter(({ action }) => action !== 'same').length
  output.err(`${count} ${count === 1 ? 'change' : 'changes'}, nothing done\n`)
}
