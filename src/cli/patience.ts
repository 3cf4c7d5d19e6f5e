/** Says while an answer is waited for that it is: a look at the whole machine takes its time. */
import { type Output, paint } from '../lib/print.ts'

const everySeconds = 5

export async function patiently<T>(output: Output, what: string, answer: Promise<T>): Promise<T> {
  let seconds = 0
  const timer = setInterval(() => {
    seconds += everySeconds
    output.err(paint(output, 'dim', `${what}: no answer yet after ${seconds} s\n`))
  }, everySeconds * 1000)
  return await answer.finally(() => clearInterval(timer))
}
