/** Faults that need a whole server: one machine, broken in one way after the other, and mended each time. */
import { afterAll, beforeAll, describe } from 'vitest'
import { memoryFaults } from './server-memory.ts'
import { nginxFaults } from './server-nginx.ts'
import { FaultyServer } from './server-under-faults.ts'

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
})
