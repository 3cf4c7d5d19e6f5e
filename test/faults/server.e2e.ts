/** Faults that need a whole server: one machine, broken in one way after the other, and mended each time. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { bootFaults } from './server-boot.ts'
import { busFaults } from './server-bus.ts'
import { clockFaults } from './server-clock.ts'
import { fault } from './server-fault.ts'
import { memoryFaults } from './server-memory.ts'
import { nginxFaults } from './server-nginx.ts'
import { FaultyServer } from './server-under-faults.ts'
import { upgradeFaults } from './server-upgrade.ts'
import { watchdogFaults } from './server-watchdog.ts'

describe('a whole server', () => {
  let running: FaultyServer | undefined
  const server = () => {
    if (running === undefined) throw new Error('the server has not started')
    return running
  }

  beforeAll(async () => {
    running = await FaultyServer.start()
  })
  afterAll(async () => await running?.[Symbol.asyncDispose]())

  nginxFaults(server)
  memoryFaults(server)
  busFaults(server)
  clockFaults(server)
  watchdogFaults(server)
  upgradeFaults(server)
  bootFaults(server)

  fault('F10-F34', 'all of these one after the other', 'both sides and the machine agree on every job', async () => {
    expect(await server().findings()).toEqual([])
  })
})
