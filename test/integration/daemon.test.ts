/** The life of the processes: what starts, what is refused, what survives which death. As root, without systemd. */
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asset } from '../../src/program/assets.ts'
import { Product } from '../support/product.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const canRun = process.getuid?.() === 0 && existsSync('/usr/sbin/nginx')

describe.skipIf(!canRun)('the daemon', () => {
  let machine: Product

  beforeAll(async () => {
    asset('styles.css') // compiled now: the panel's account may not write into the checkout
    machine = await Product.make({ command: [process.execPath, main] })
    await machine.start()
  })

  afterAll(async () => {
    await machine.dispose()
  })

  /** Status of the panel's answer; the request waits as long as the port does. */
  async function ask(path = '/'): Promise<number> {
    const options = { host: '127.0.0.1', port: machine.ports.panel, path, rejectUnauthorized: false, agent: false }
    return await new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      sent.once('error', reject)
      sent.end()
    })
  }

  const file = (path: string) => readFileSync(join(machine.root, path), 'utf8')
  const mode = (path: string) => (statSync(join(machine.root, path)).mode & 0o7777).toString(8)

  it('makes its secrets once, and shows them to nobody', () => {
    expect(file('etc/wcp360/secrets/panel.key')).toMatch(/^[0-9a-f]{64}\n$/)
    expect(['etc/wcp360', 'etc/wcp360/secrets', 'etc/wcp360/ssl', 'var/lib/wcp360-agent'].map(mode)).toEqual(
      Array(4).fill('700'),
    )
    expect(mode('etc/wcp360/secrets/panel.key')).toBe('600')
    expect(mode('etc/wcp360/ssl/panel.key')).toBe('600')
    expect(mode('var/lib/wcp360-web/tls/default/privkey.pem')).toBe('640')
    expect(mode('var/log/wcp360/web')).toBe('2750')
  })

  it('answers on the panel port, and tells panel and agent of each other', async () => {
    expect(await ask('/')).toBeLessThan(500)
    await machine.until('the agent is connected', () => machine.output.includes('"connected to the panel"'))
  })

  it.each(['panel', 'waker', 'webLog'] as const)('gives the %s no privilege at all', async (role) => {
    await machine.until(`the ${role} runs`, () => machine.pids[role] !== undefined)
    const status = readFileSync(`/proc/${machine.pids[role]}/status`, 'utf8')
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim()

    expect(field('Uid')).not.toMatch(/\b0\b/)
    expect(field('Gid')).not.toMatch(/\b0\b/)
    expect(field('Groups')).toBe('')
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(field(set)).toBe('0000000000000000')
    expect(field('NoNewPrivs')).toBe('1')
  })

  it('refuses a second start with one line', async () => {
    const { code, said } = await machine.startInVain()

    expect(code).toBe(75)
    expect(said).toMatch(
      new RegExp(`^Cannot start: wcpd runs already, process ${machine.pids.agent} holds ".*/lock"\n$`),
    )
  })

  it('starts a killed panel again; who asked meanwhile is answered', async () => {
    const first = machine.pids.panel
    process.kill(first ?? -1, 'SIGKILL')

    const answer = ask('/')

    expect(await answer).toBeLessThan(500)
    expect(machine.pids.panel).not.toBe(first)
  })

  it('keeps what is in force when the new configuration is wrong', async () => {
    const before = machine.pids.panel
    machine.configure('log_level: loud\n')
    machine.kill('SIGHUP')

    await machine.until('the line is logged', () => machine.output.includes('configuration is wrong'))

    expect(machine.output).toContain(`${machine.configFile}:4: log_level is \\"loud\\": expected one of debug, info`)
    expect(machine.pids.panel).toBe(before)
    expect(await ask('/')).toBeLessThan(500)
    machine.configure()
  })

  it('goes on when its configuration cannot be read at all', async () => {
    const { agent } = machine.pids
    renameSync(machine.configFile, `${machine.configFile}.aside`)
    mkdirSync(machine.configFile)
    machine.kill('SIGHUP')

    await machine.until('the line is logged', () => machine.output.includes('configuration cannot be taken'))

    rmdirSync(machine.configFile)
    renameSync(`${machine.configFile}.aside`, machine.configFile)
    expect(machine.pids.agent).toBe(agent)
    expect(await ask('/')).toBeLessThan(500)
  })

  it('takes a new configuration without losing the port', async () => {
    const before = machine.pids.panel
    machine.configure('session_hours: 6\n')
    machine.kill('SIGHUP')

    await machine.until('it is reloaded', () => machine.output.includes('"configuration reloaded"'))

    expect(await ask('/')).toBeLessThan(500)
    expect(machine.pids.panel).not.toBe(before)
    expect(file('run/wcp360/credentials/panel/config.yaml')).toContain('session_hours: 6')
  })

  it('comes back after it was killed, with the same secrets', async () => {
    const key = file('etc/wcp360/secrets/panel.key')
    const certificate = file('etc/wcp360/ssl/panel.crt')
    machine.kill('SIGKILL')
    await machine.ended()

    await machine.start()

    expect(await ask('/')).toBeLessThan(500)
    expect(file('etc/wcp360/secrets/panel.key')).toBe(key)
    expect(file('etc/wcp360/ssl/panel.crt')).toBe(certificate)
  })

  it('gives what an earlier version left to the group www-data to the workers of nginx alone', async () => {
    const key = join(machine.places.web.defaultTls, machine.places.web.keyFile)
    const workers = Number(execFileSync('/usr/bin/id', ['-g', 'wcp360-web'], { encoding: 'utf8' }))
    const own = file('etc/nginx/nginx.conf')
    const text = readFileSync(key, 'utf8')
    expect([statSync(key).gid, own.includes('user wcp360-web;')]).toEqual([workers, true])
    await machine.stop()
    writeFileSync(machine.places.nginxConfig, own.replace('user wcp360-web;', 'user www-data;'))
    chownSync(key, 0, 33)

    await machine.start()

    expect(file('etc/nginx/nginx.conf')).toBe(own)
    expect([statSync(key).gid, statSync(dirname(key)).gid, mode('var/lib/wcp360-web/tls/default/privkey.pem')]).toEqual(
      [workers, workers, '640'],
    )
    expect(readFileSync(key, 'utf8')).toBe(text)
    expect(statSync(machine.places.wakeRun).gid).toBe(workers)
  })

  it('ends with its children at SIGTERM', async () => {
    const children = [machine.pids.panel, machine.pids.waker, machine.pids.webLog]
    machine.kill('SIGTERM')

    expect(await machine.ended()).toBe(0)

    expect(children.every((pid) => pid !== undefined && !existsSync(`/proc/${pid}`))).toBe(true)
    await expect(ask('/')).rejects.toThrow(/ECONNREFUSED/)
  })

  it('does not start with a wrong configuration, and says why in one line', async () => {
    machine.configure('shoe_size: 43\n')

    const { code, said } = await machine.startInVain()

    machine.configure()
    expect(code).toBe(78)
    expect(said).toMatch(/^Cannot start: \S+config\.yaml:4: unknown key "shoe_size": expected one of listen, .*\n$/)
  })
})
