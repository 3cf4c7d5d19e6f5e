import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'

export const runtime: Tried = {
  name: "the runtime's own doors: inspector, options, descriptors",
  holds: "no inspector, no options from outside, the panel has nothing of root's",
  notYet: 'system call filter of the panel (without systemd)',
  async attack(stage, tally) {
    const { product, butcher } = stage
    const before = product.pids
    for (const pid of [before.agent, before.panel, before.waker]) process.kill(pid ?? -1, 'SIGUSR1')
    await pause(300)
    for (const port of [9229, 9230, 9231]) tally.same(await isOpen(port), false, `port ${port} is open`)
    tally.same(product.pids, before, 'a process has ended')
    tally.same(
      runAs(butcher, `echo posix_kill(${before.agent}, 10) || posix_kill(${before.panel}, 10) ? 'sent' : 'no';`),
      'no',
      'the tenant signals the product',
    )

    const status = readFileSync(`/proc/${before.panel}/status`, 'utf8')
    const line = (key: string) => new RegExp(`^${key}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim()
    const uids = line('Uid')?.split(/\s+/) ?? []
    tally.held(new Set(uids).size === 1 && uids[0] !== '0', `the panel has uids ${uids}`)
    tally.same(
      [line('Groups'), line('CapEff'), line('CapPrm'), line('CapBnd'), line('NoNewPrivs')],
      ['', zeros, zeros, zeros, '1'],
      'groups, capabilities, no_new_privs of the panel',
    )
    tally.same(strangeDescriptors(before.panel ?? -1, product.root), [], 'descriptors of the panel')
    for (const pid of [before.agent, before.panel, before.waker]) {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      tally.held(!/--inspect|--require|--import/.test(words), `process ${pid} has the options ${words}`)
      const unpacked = readFileSync(`/proc/${pid}/maps`, 'utf8')
        .split('\n')
        .filter((one) => /\.node$/.test(one) && /\/tmp\//.test(one))
      tally.same(unpacked, [], `process ${pid} has loaded from /tmp`)
    }
  },
}

const zeros = '0000000000000000'

function isOpen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.on('connect', () => {
    socket.destroy()
    resolve(true)
  })
  socket.on('error', () => resolve(false))
  return promise
}

/** Files and places that are not the panel's own. */
function strangeDescriptors(pid: number, root: string): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const what = readlinkSync(`/proc/${pid}/fd/${fd}`)
      const isUsual = /^(socket|pipe|anon_inode):|^\/dev\/(null|urandom|random)$|^\/memfd:/.test(what)
      // Certificates of authorities: a TLS client reads them, as everybody may.
      const isPublic = what.startsWith('/etc/ssl/certs/')
      const isOwn = what.startsWith(`${root}/var/lib/wcp360/`) || /\/wcpd$/.test(what)
      return isUsual || isPublic || isOwn ? [] : [what]
    } catch {
      return [] // closed meanwhile
    }
  })
}
