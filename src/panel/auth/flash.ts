/** One message for a visitor's next page, in memory: losing it at a restart loses nothing. */
import type { Flash } from '../http/types.ts'

const mostKept = 1000

export function flashMessages(): Flash {
  const messages = new Map<string, { kind: 'good' | 'bad'; message: string }>()
  return {
    put({ cookie }, kind, message) {
      if (cookie === null) return
      messages.delete(cookie)
      messages.set(cookie, { kind, message })
      const [oldest] = messages.keys()
      if (messages.size > mostKept && oldest !== undefined) messages.delete(oldest)
    },
    take({ cookie }) {
      const message = cookie === null ? undefined : messages.get(cookie)
      if (cookie !== null) messages.delete(cookie)
      return message ?? null
    },
  }
}
