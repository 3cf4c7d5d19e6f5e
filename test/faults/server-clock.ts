/** F14: the clock jumps, with sessions open, a job under way and the audit trail going on. */
import { expect } from 'vitest'
import { fault } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

const jumps = ['+1 hour', '-1 hour', '+10 years', '-10 years'] as const

export function clockFaults(server: () => FaultyServer): void {
  fault(
    'F14',
    'clock jumps of an hour and ten years, both ways',
    'no job stalled, no service restarted, audit trail in order',
    async () => {
      const { machine } = server()
      await server().customer('fourteen')
      await server().putSlowPage('fourteen', 8)
      await server().must({ kind: 'domain', verb: 'create', name: 'trashed.example.com' }, 'fourteen')
      await server().must({ kind: 'domain', verb: 'delete', name: 'trashed.example.com' }, 'fourteen')
      const pids = async () =>
        await Promise.all(['wcpd', 'wcpd-panel', 'wcpd-waker', 'nginx'].map((unit) => server().pidOf(unit)))
      const before = await pids()

      for (const jump of jumps) {
        await server().askSlowly('fourteen')
        const job = await server().submit({ kind: 'tenant', verb: 'suspend', name: 'fourteen' })
        await machine.succeed(`date -s '${jump}'`)
        // a session that is too old now has ended, which is no error: the same person signs in again
        if ((await server().panel.api('GET', '/health')).status === 401) await server().signIn()
        expect([jump, (await server().end(job)).state]).toEqual([jump, 'succeeded'])
        await server().must({ kind: 'tenant', verb: 'unsuspend', name: 'fourteen' })
        expect(await machine.succeed('wcp audit verify')).toMatch(/./)
      }
      await machine.succeed(`date -s @${Date.now() / 1000}`)
      await server().signIn()

      expect(await pids()).toEqual(before)
      expect(
        (await machine.run('journalctl -b -u wcpd-panel -o cat --no-pager | grep "a job has stalled"')).stdout,
      ).toBe('')
      const { items } = JSON.parse((await server().panel.api('GET', '/audit?limit=200')).text)
      const sequences: readonly number[] = items.map(({ sequence }: { sequence: number }) => sequence)
      expect(sequences).toEqual(sequences.toSorted((one, other) => other - one))
      await server().must({ kind: 'domain', verb: 'restore', name: 'trashed.example.com' }, 'fourteen')
    },
  )
}
