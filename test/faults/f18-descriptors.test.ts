/** F18: no descriptor is left, for the panel under thousands of connections, or for the agent in a job. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { connect, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { descriptors, inWorld, siteOf, until } from './world.ts'

/** prlimit(1) of a process that runs, as its own user: root in a container may not for others. @returns what takes it back */
function limit(pid: number, soft: number): () => void {
  const { uid, gid } = statSync(`/proc/${pid}`)
  const asUser = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', '/usr/bin/prlimit', '--pid', `${pid}`]
  const set = (to: number) => execFileSync('/usr/bin/setpriv', [...asUser, `--nofile=${to}:`])
  const [, before = ''] = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? []
  set(soft)
  return () => void set(Number(before))
}

function status(port: number, agent: Agent): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>()
  get({ host: '127.0.0.1', port, path: '/healthz', agent }, (answer) => {
    answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
  }).on('error', (error) => resolve(error.message))
  return promise
}

it(
  'serves who is connected while connections take every descriptor of the panel, and everybody afterwards',
  inWorld(
    'F18',
    '500 connections to a panel without descriptors',
    'connections served on; the same process goes on',
    async (world) => {
      const { product } = world
      const { panel = -1 } = product.pids
      const known = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
      expect(await status(product.ports.panel, known)).toBe(200)
      const free = limit(panel, descriptors(panel) + 8)
      const flood: Socket[] = []
      try {
        for (let count = 0; count < 500; count++)
          flood.push(connect(product.ports.panel, '127.0.0.1').on('error', () => {}))
        await until('no descriptor is left', () => flood.some(({ destroyed }) => destroyed))

        expect(await status(product.ports.panel, known)).toBe(200)
        expect(await product.visit(siteOf('neighbour'))).toBe(200)
      } finally {
        for (const socket of flood) socket.destroy()
        free()
      }
      known.destroy()
      expect(product.pids.panel).toBe(panel)
      await world.oracle()
    },
  ),
)

it(
  'fails or does a job whose agent has no descriptor, and does the next',
  inWorld(
    'F18',
    'agent without descriptors in a job',
    'failed with the reason and undone, or done; the same process goes on',
    async (world) => {
      const { product } = world
      const { agent } = product.pids
      for (const more of [0, 1, 2, 4]) {
        const name = `alpha${'abcde'[more]}`
        const free = limit(agent, descriptors(agent) + more)
        try {
          await world.createTenant(name)
          await world.settled()
        } finally {
          free()
        }
        const ends = (await world.jobs()).filter(({ tenantName }) => tenantName === name)
        const first = ends.find(({ type }) => type === 'tenant.create')
        if (first?.state === 'failed')
          expect(first.failure?.message).toMatch(/EMFILE|too many open files|unable to open/i)
        expect(await product.visit(siteOf(name))).toBe(ends.every(({ state }) => state === 'succeeded') ? 200 : 0)
      }
      expect(product.pids.agent).toBe(agent)
      expect(product.isRunning).toBe(true)
      await world.oracle([
        /^step failed$/,
        /^step could not be undone$/,
        /^a job failed$/,
        /^job could not be prepared$/,
        /^job was refused: it cannot be written down$/,
        /^mark of the end of the audit log cannot be written$/,
        /^audit log cannot be written$/,
        /^idle PHP could not be looked for$/,
        /^service ended$/,
        /^an operation failed$/,
      ])
    },
  ),
)
