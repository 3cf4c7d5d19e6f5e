/**
 * In a network namespace of its own: a "machine" with the product's rules, and an "internet" at the other end of a cable.
 * Prints what processes of tenants reached, as JSON.
 */
import '../support/checkout-assets.ts'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Egress } from '../../src/agent/os/egress.ts'
import { renderEgress } from '../../src/agent/render/egress.ts'

const ip = (...words: string[]) => execFileSync('/usr/sbin/ip', words)
const log = { info() {}, warn: (_: object, message: string) => void warnings.push(message), error: console.error }
const warnings: string[] = []

/** Of the other end. */
const outside = ['198.51.100.7', '169.254.169.254', '168.63.129.16', '2001:db8::7', 'fd00:ec2::254']
const ports = [25, 80]
const serve = `
  const { createServer } = require('node:net')
  const servers = JSON.parse(process.argv[1]).map(([host, port]) => createServer((s) => s.on('error', () => {}).end('hi')).listen(port, host))
  Promise.all(servers.map((one) => new Promise((resolve) => one.on('listening', resolve)))).then(() => console.log('ready'))`
const reach = `
  const { connect } = require('node:net')
  const one = ([host, port]) => new Promise((resolve) => {
    const socket = connect({ host, port }).setTimeout(700).on('data', () => end('reached'))
    const end = (word) => { socket.destroy(); resolve(word) }
    socket.on('timeout', () => end('no answer')).on('error', () => end('refused'))
  })
  Promise.all(JSON.parse(process.argv[1]).map(one)).then((all) => console.log(JSON.stringify(all)))`

type Target = readonly [host: string, port: number]

const children: { kill(signal: 'SIGKILL'): unknown }[] = []

async function server(uid: number, targets: readonly Target[], before: readonly string[] = []): Promise<void> {
  const [file = '', ...argv] = [...before, process.execPath, '-e', serve, JSON.stringify(targets)]
  const child = spawn(file, argv, { uid, gid: uid, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
}

async function reached(uid: number, targets: readonly Target[]): Promise<Record<string, string>> {
  const argv = ['-e', reach, JSON.stringify(targets)]
  const child = spawn(process.execPath, argv, { uid, gid: uid, stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = await once(child.stdout, 'data')
  const said: string[] = JSON.parse(String(text))
  return Object.fromEntries(targets.map(([host, port], at) => [`${host} ${port}`, said[at] ?? '']))
}

async function cable(): Promise<void> {
  const other = spawn('/usr/bin/unshare', ['--net', '/usr/bin/sleep', '120'], { stdio: 'ignore' })
  children.push(other)
  const isApart = () =>
    execFileSync('/usr/bin/readlink', [`/proc/${other.pid}/ns/net`, '/proc/self/ns/net'], { encoding: 'utf8' })
  while (new Set(isApart().trim().split('\n')).size === 1) await new Promise((resolve) => setTimeout(resolve, 5))
  const there = ['/usr/bin/nsenter', '--target', String(other.pid), '--net']
  const atOther = (...words: string[]) => execFileSync(there[0] ?? '', [...there.slice(1), '/usr/sbin/ip', ...words])
  ip('link', 'set', 'lo', 'up')
  ip('link', 'add', 'here', 'type', 'veth', 'peer', 'name', 'there', 'netns', String(other.pid))
  for (const address of ['198.51.100.1/24', '2001:db8::1/64']) ip('address', 'add', address, 'dev', 'here', 'nodad')
  ip('link', 'set', 'here', 'up')
  atOther('link', 'set', 'lo', 'up')
  for (const address of outside)
    atOther('address', 'add', `${address}/${address.includes(':') ? 64 : 24}`, 'dev', 'there', 'nodad')
  atOther('link', 'set', 'there', 'up')
  atOther('route', 'add', 'default', 'via', '198.51.100.1')
  ip('route', 'add', 'default', 'via', '198.51.100.7')
  ip('-6', 'route', 'add', 'default', 'via', '2001:db8::7')
  await server(
    0,
    outside.flatMap((host) => ports.map((port): Target => [host, port])),
    there,
  )
}

const [tenant, other, mailer, trusted, closed] = [20_001, 20_002, 20_003, 20_004, 59_999]
await cable()
const local: readonly Target[] = [
  ['127.0.0.1', 80],
  ['198.51.100.1', 80],
  ['127.0.0.1', 3306],
  ['127.0.0.1', 631],
  ['127.0.0.1', 9001],
  ['::1', 9001],
  ['127.0.0.1', 9002],
  ['127.0.0.1', 9003],
]
await server(0, [
  ['127.0.0.1', 80],
  ['198.51.100.1', 80],
  ['127.0.0.1', 3306],
  ['127.0.0.1', 631],
])
await server(tenant, [
  ['127.0.0.1', 9001],
  ['::1', 9001],
])
await server(other, [['127.0.0.1', 9002]])
const remote = outside.flatMap((host) => ports.map((port): Target => [host, port]))
const all = [...local, ...remote]

const egress = new Egress({
  render: (policies, resolvers) => renderEgress({ policies, resolvers, webPorts: [80, 443] }),
  log,
  isAllowed: true,
})
/** A cable that was just plugged in carries nothing for a moment. */
let before = await reached(tenant, all)
for (let tries = 0; tries < 10 && remote.some(([host, port]) => before[`${host} ${port}`] !== 'reached'); tries++)
  before = await reached(tenant, all)
execFileSync('/usr/sbin/nft', ['add', 'table', 'inet', 'administrator'])
await egress.begin()
await egress.load([
  [mailer, 'smtp'],
  [trusted, 'open'],
])
await egress.set(closed, 'none')
const results = {
  missing: egress.missing,
  before,
  tenant: await reached(tenant, all),
  mailer: await reached(mailer, remote),
  trusted: await reached(trusted, all),
  closed: await reached(closed, all),
  root: await reached(0, all),
  panel: await reached(999, all),
}
const drift = [await egress.drift()]
execFileSync('/usr/sbin/nft', ['delete', 'table', 'inet', 'wcp360'])
drift.push(await egress.drift())
await egress.look()
const afterFlush = await reached(tenant, remote)
execFileSync('/usr/sbin/nft', ['delete', 'element', 'inet', 'wcp360', 'none', `{ ${closed} }`])
drift.push(await egress.drift())
await egress.look()
const afterEdit = await reached(closed, remote)
await egress.look()
const tables = execFileSync('/usr/sbin/nft', ['list', 'tables'], { encoding: 'utf8' })
console.log(JSON.stringify({ ...results, afterFlush, afterEdit, drift, tables, warnings }))
egress.close()
for (const child of children) child.kill('SIGKILL')
