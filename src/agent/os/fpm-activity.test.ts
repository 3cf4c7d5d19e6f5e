import { once } from 'node:events'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TenantName } from '../../contract/values.ts'
import { connectedSockets, isConnected, workOf } from './fpm-activity.ts'
import { layout } from './layout.ts'

const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000001: 00000002 00000000 00010000 0001 01 101 /run/wcp360/fpm/.idle.sock
0000000000000002: 00000002 00000000 00010000 0001 01 102 /run/wcp360/fpm/.busy.sock
0000000000000003: 00000003 00000000 00000000 0001 03 103 /run/wcp360/fpm/.busy.sock
0000000000000004: 00000003 00000000 00000000 0001 03 104
0000000000000005: 00000003 00000000 00000000 0001 03   5 @/tmp/.X11 unix
`

describe('sockets that somebody is connected to', () => {
  it('are those of connections, not of listeners', () => {
    expect(connectedSockets(table)).toEqual(new Set(['/run/wcp360/fpm/.busy.sock', '@/tmp/.X11 unix']))
  })

  it('are of a tenant by the number of its user, or by its name as an earlier version bound them', () => {
    const root = mkdtempSync(join(tmpdir(), 'wcp-activity-'))
    const places = layout(root)
    const [acme, other] = ['acme', 'other'] as TenantName[] as [TenantName, TenantName]
    mkdirSync(places.customers.home(acme), { recursive: true })
    chownSync(places.customers.home(acme), 20_001, 20_001)
    const by = (path: string) => [acme, other].map((tenant) => isConnected(places, tenant, new Set([path])))

    expect(by(places.fpmBoundSocket(20_001))).toEqual([true, false])
    expect(by(places.fpmHiddenSocket(other))).toEqual([false, true])
    rmSync(root, { recursive: true })
  })

  it('are read from this machine', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'wcp-activity-')), 'fpm.sock')
    const server = createServer().listen(path)
    await once(server, 'listening')
    expect(connectedSockets()).not.toContain(path)

    const visitor = connect(path)
    const [answering] = await once(server, 'connection')
    expect(connectedSockets()).toContain(path)

    visitor.destroy()
    answering.destroy()
    server.close()
    rmSync(dirname(path), { recursive: true })
  })
})

describe('the work of a pool', () => {
  const status = (parent: number, turns: number) =>
    `Name:\tphp-fpm\nPPid:\t${parent}\nvoluntary_ctxt_switches:\t${turns}\nnonvoluntary_ctxt_switches:\t2\n`

  function pool(turns: Readonly<Record<number, number>>): string {
    return workOf([7, 8, 9, 10], (pid) => (pid in turns ? status(pid === 7 ? 1 : 7, turns[pid] ?? 0) : undefined))
  }

  it('is that of the workers, whose master wakes all the time', () => {
    expect(pool({ 7: 100, 8: 3, 9: 4 })).toBe('8:3+2 9:4+2')
    expect(pool({ 7: 200, 8: 3, 9: 4 })).toBe(pool({ 7: 100, 8: 3, 9: 4 }))
  })

  it('differs once one of them has worked, began or ended', () => {
    const before = pool({ 7: 1, 8: 3, 9: 4 })

    for (const after of [
      { 7: 1, 8: 3, 9: 5 },
      { 7: 1, 8: 3 },
      { 7: 1, 8: 3, 9: 4, 10: 0 },
    ]) {
      expect(pool(after)).not.toBe(before)
    }
  })

  it('is none when the master has ended', () => {
    expect(pool({})).toBe('')
  })
})
