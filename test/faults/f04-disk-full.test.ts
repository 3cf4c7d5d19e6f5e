/** F04: one file system after the other without a byte, or without an inode. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { asRow, isWhole } from './rows.ts'
import { makeAdministrator, signedIn } from './sign-in.ts'
import { refusal, siteOf, World } from './world.ts'

type Resource = 'bytes' | 'inodes'

const places = ['var/lib/wcp360', 'var/lib/wcp360-agent', 'var/lib/wcp360-web', 'srv', 'etc/userdb', 'var/log', 'run']
const whole = places.flatMap((place) => [[place, 'bytes'] as const, [place, 'inodes'] as const])
const sample = [
  ['var/lib/wcp360', 'bytes'],
  ['var/lib/wcp360-agent', 'bytes'],
  ['srv', 'inodes'],
] as const

it.each(isWhole ? whole : sample)(
  '%s without %s: nothing is begun, everything is read, and signing in works',
  (place, what) =>
    asRow('F04', `no ${what} left`, 'refused before it began; read, signed in, suspended meanwhile', () =>
      fill(place, what),
    ),
)

async function fill(place: string, what: Resource): Promise<void> {
  let directory = ''
  const world = await World.open({}, ({ root }) => {
    directory = join(root, place)
    mkdirSync(directory, { recursive: true })
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=2000,mode=755', 'none', directory])
  })
  const { product } = world
  try {
    await world.createTenant('alpha')
    await world.settled()
    await makeAdministrator(world)
    const free = takeAll(directory, what)

    const refused = await refusal(world.createTenant('beta'))
    const jobs = await world.settled()

    const ofBeta = jobs.filter(({ tenantName }) => tenantName === 'beta')
    const isTaken = place === 'var/lib/wcp360' && what === 'inodes' // the store makes no new file
    if (refused !== undefined) expect(refused.message).toContain('its disk is full')
    else expect(ofBeta.map(({ state }) => state)).toEqual(Array(2).fill(isTaken ? 'succeeded' : 'failed'))
    for (const { state, failure } of ofBeta)
      if (state === 'failed') expect(failure?.message).toContain(`no ${what} left`)
    expect(await product.call('GET', '/tenants')).toMatchObject({ items: expect.any(Array) })
    expect(await product.visit(siteOf('alpha'))).toBe(200)
    expect(await signedIn(world)).toBe(true)

    await product.call('POST', '/tenants/alpha/suspend')
    expect((await world.settled())[0]).toMatchObject({ type: 'tenant.suspend', state: 'succeeded' })

    free()
    await product.call('POST', '/tenants/alpha/unsuspend')
    await world.oracle([/^a job failed$/, /^an operation failed$/])
    expect(await product.visit(siteOf('alpha'))).toBe(200)
  } finally {
    await product.stop()
    await product.endAll()
    execFileSync('/bin/umount', ['--lazy', directory])
    await world.close()
  }
}

/** Takes all that is left, to the last; the result gives it back. */
function takeAll(directory: string, what: Resource): () => void {
  const filler = join(directory, 'filler')
  try {
    if (what === 'inodes') for (let count = 0; ; count++) mkdirSync(join(filler, String(count)), { recursive: true })
    const file = openSync(filler, 'w')
    try {
      for (const size of [1024 * 1024, 512]) writeUntilFull(file, size)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (!String(error).includes('ENOSPC')) throw error
  }
  return () => rmSync(filler, { recursive: true })
}

function writeUntilFull(file: number, size: number): void {
  const chunk = Buffer.alloc(size)
  try {
    for (;;) writeSync(file, chunk)
  } catch (error) {
    if (!String(error).includes('ENOSPC')) throw error
  }
}
