// One builder at a time: others who want the same thing wait for the first one to finish.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { places } from './places.ts'

export async function exclusively<T>(name: string, timeout: number, action: () => Promise<T>): Promise<T> {
  const path = join(places.locks, name)
  const end = Date.now() + timeout
  while (!taken(path)) {
    if (Date.now() > end) throw new Error(`Cannot get "${path}": process ${holder(path)} has held it for ${timeout} ms`)
    await sleep(200)
  }
  try {
    return await action()
  } finally {
    rmSync(path, { force: true })
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function taken(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch {
    const pid = holder(path)
    if (pid > 0 && !isRunning(pid)) rmSync(path, { force: true })
    return false
  }
}

function holder(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return 0
  }
}
