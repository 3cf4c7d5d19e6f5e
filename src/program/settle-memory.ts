/** Returns the memory of a start to the machine soon, and not when the heap happens to grow again. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const afterMs = 10_000

/** One full collection, tens of milliseconds long, when the start is over. V8 by itself collects only under pressure. */
export function settleMemory(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    const collect: (how: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void = runInNewContext('gc')
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, afterMs).unref()
}
