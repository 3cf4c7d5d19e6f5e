/** Faults at the n-th effect on the machine: an error instead of it, an error after it, or the end of the process. */
import type { Machine } from '../../src/agent/os/machine.ts'

export type Fault =
  /** The effect fails without having happened. */
  | 'fails'
  /** The effect happens and is told as failed. */
  | 'fails late'
  /** The process is gone before the effect. */
  | 'dies before'
  /** The process is gone when the effect has happened and nothing knows of it. */
  | 'dies after'

export const deaths = ['dies before', 'dies after'] as const satisfies readonly Fault[]
export const failures = ['fails', 'fails late'] as const satisfies readonly Fault[]

const effects = new Set<PropertyKey>([
  ...['writeFile', 'makeDirectory', 'makeLink', 'move', 'swap', 'remove', 'removeTree', 'putBack'],
  ...['reloadNginx', 'startFpm', 'stopFpm', 'applyLimits', 'stopTenant', 'runAs', 'stopRun'],
  ...['writeBy', 'createDatabase', 'dropDatabase', 'putUser', 'dropUser', 'load'],
])

export interface Injection {
  readonly machine: Machine
  /** Effects begun so far. */
  count(): number
  /** Resolves when the process is gone. */
  readonly dead: Promise<void>
}

/** @param at faults by the number of the effect, from 1. */
export function withFaults(machine: Machine, at: (nth: number) => Fault | undefined): Injection {
  let count = 0
  let isDead = false
  let die = () => {}
  const dead = new Promise<void>((resolve) => {
    die = () => {
      isDead = true
      resolve()
    }
  })
  const never = () => new Promise<never>(() => {})

  function faulty<T extends object>(target: T): T {
    return new Proxy(target, {
      get(object, key) {
        const value: unknown = Reflect.get(object, key, object)
        if (typeof value !== 'function' || key === 'existsNow') return value
        return async (...given: unknown[]) => {
          if (isDead) return never()
          const act = async () => {
            const result: unknown = await Reflect.apply(value, object, given)
            return isDead ? never() : result
          }
          if (!effects.has(key)) return act()
          count++
          const fault = at(count)
          if (fault === 'dies before') die()
          if (fault === 'dies before') return never()
          if (fault === 'fails') throw new Error(`ENOSPC: injected before effect ${count}`)
          const result = await Reflect.apply(value, object, given)
          if (fault === 'fails late') throw new Error(`EIO: injected after effect ${count}`)
          if (fault === 'dies after') die()
          return isDead ? never() : result
        }
      },
    })
  }

  return {
    machine: {
      ...machine,
      files: faulty(machine.files),
      services: faulty(machine.services),
      databases: {
        mariadb: faulty(machine.databases.mariadb),
        postgresql: faulty(machine.databases.postgresql),
      },
    },
    count: () => count,
    dead,
  }
}
