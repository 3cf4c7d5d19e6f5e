/** A thread of people who guess passwords: each tries again as soon as it is answered. Answers with the status of every try. */
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { type Visitor, visitor } from './login-visitor.ts'

const { port, addresses }: { port: number; addresses: readonly string[] } = workerData
const visitors: Visitor[] = []
for (const address of addresses) visitors.push(await visitor(port, address))
parentPort?.postMessage('ready')

if (parentPort !== null) {
  const [ms]: number[] = await once(parentPort, 'message')
  const until = performance.now() + (ms ?? 0)
  const statuses = visitors.map(async (one, at) => {
    const own: number[] = []
    while (performance.now() < until) own.push(await statusOf(one.post(`guess ${at} ${own.length}`)))
    return own
  })
  parentPort.postMessage((await Promise.all(statuses)).flat())
  process.exit()
}

/** 0 when the connection was closed without an answer. */
async function statusOf(answer: Promise<{ status: number }>): Promise<number> {
  return (await answer.catch(() => ({ status: 0 }))).status
}
