/** The processes of this machine as /proc shows them (proc(5)), and which of them belong to a directory. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Process {
  readonly pid: number
  readonly parent: number
  readonly uid: number
  /** The command line; one empty word for a process that has ended and was not waited for. */
  readonly words: readonly string[]
}

export function processes(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8')
        const number = (key: string) => Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(status)?.[1])
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
        return [{ pid: Number(name), parent: number('PPid'), uid: number('Uid'), words }]
      } catch {
        return [] // it has ended meanwhile
      }
    })
}

/** Every process that was told of a place at or below the directory, in its arguments or its environment, and all of their descendants. */
export function processesOf(root: string): readonly Process[] {
  const all = processes().filter(({ pid }) => pid !== process.pid)
  const found = new Map(all.filter((one) => isTold(one, root)).map((one) => [one.pid, one]))
  const add = (pid: number): void => {
    for (const child of all.filter(({ parent }) => parent === pid)) {
      found.set(child.pid, child)
      add(child.pid)
    }
  }
  for (const pid of [...found.keys()]) add(pid)
  return [...found.values()]
}

function isTold({ pid, words }: Process, root: string): boolean {
  const names = (text: string) => text === root || text.includes(`${root}/`)
  return words.some(names) || environment(pid).some((setting) => names(setting.slice(setting.indexOf('=') + 1)))
}

function environment(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return [] // it has ended meanwhile
  }
}
