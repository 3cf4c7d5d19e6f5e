/** A process of its own, which runs single test files again and again and can be ended when a change never comes back. */
import { createVitest } from 'vitest/node'

export interface Order {
  /** Below the tree; their texts were changed on the disk since the order before. */
  readonly changed: readonly string[]
  readonly test: string
}

export interface Verdict {
  /** Name and reason of the first test that failed; null when all passed. */
  readonly failed: string | null
}

const vitest = await createVitest(
  { watch: false, bail: 1, maxWorkers: 1, reporters: [{}], passWithNoTests: false },
  {},
  { stdout: process.stderr },
)

process.on('message', ({ changed, test }: Order) => {
  for (const path of changed) vitest.invalidateFile(`${process.cwd()}/${path}`)
  void verdictOf(test).then((verdict) => process.send?.(verdict))
})

async function verdictOf(test: string): Promise<Verdict> {
  const specifications = (await vitest.globTestSpecifications([test])).filter(({ moduleId }) => moduleId.endsWith(test))
  if (specifications.length === 0) throw new Error(`there is no test file ${test}`)
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications)
  for (const module of testModules.filter(({ moduleId }) => moduleId.endsWith(test))) {
    for (const one of module.children.allTests('failed')) {
      const [error] = one.result().errors ?? []
      return { failed: `${one.fullName}: ${error?.message.split('\n')[0] ?? ''}` }
    }
    const [error] = module.errors()
    if (error || !module.ok()) return { failed: `${test}: ${error?.message.split('\n')[0] ?? 'failed'}` }
  }
  return { failed: unhandledErrors.length > 0 ? `${test}: ${String(unhandledErrors[0])}` : null }
}

process.on('disconnect', () => process.exit())
process.send?.('ready')
