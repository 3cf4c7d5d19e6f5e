/** Requirements of the installation: directories and their owners, accounts, ports, and a daemon that answers. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { exec } from '../../agent/os/exec.ts'
import type { Layout } from '../../agent/os/layout.ts'
import { hasOwnWorkers } from '../../agent/render/nginx-main.ts'
import { HealthSnapshot } from '../../contract/wire.ts'
import { loadConfig, panelAddresses } from '../../lib/config.ts'
import { apiRoot } from '../../lib/http-call.ts'
import type { CallPanel } from '../client.ts'
import { type Check, type Finding, ok, problem, warning } from './check.ts'

const installs = 'Run install.sh: it installs WCP360 and writes the file.'
const reinstall = 'Run install.sh again; it puts owners and modes right.'

export function installChecks(places: Layout, call: CallPanel): readonly Check[] {
  return [
    { name: 'configuration', run: () => configuration(places) },
    { name: 'accounts', run: accounts },
    { name: 'web server', run: () => webServer(places) },
    { name: 'permissions', run: () => permissions(places) },
    { name: 'egress rules', run: egressRules },
    { name: 'ssh', run: ssh },
    { name: 'ports', run: () => ports(places) },
    { name: 'panel', run: () => panel(call) },
  ]
}

async function egressRules(): Promise<Finding> {
  if (!existsSync('/usr/sbin/nft')) return ok('none: nftables is not installed') // the machine's own check warns of that
  const { code } = await exec('/usr/sbin/nft', ['list', 'table', 'inet', 'wcp360'])
  if (code === 0) return ok('table inet wcp360')
  return warning(
    'table inet wcp360 is not there: processes of customers may connect to everything',
    'Start the daemon, which writes it; "wcp status" says why it cannot.',
  )
}

/** The installer leaves its part of sshd's configuration out where sshd does not take it. */
function ssh(): Finding {
  if (!existsSync('/usr/sbin/sshd')) return ok('none: openssh-server is not installed')
  const part = '/etc/ssh/sshd_config.d/00-wcp360.conf'
  if (existsSync(part)) return ok(part)
  return warning(
    `there is no ${part}: keys of customers let nobody in`,
    'Run install.sh again where OpenSSH is 9.8 or newer; with an older one use another release of the system.',
  )
}

function configuration(places: Layout): Finding {
  if (!existsSync(places.config)) return problem(`there is no ${places.config}`, installs)
  try {
    loadConfig(readFileSync(places.config, 'utf8'), process.env, places.config)
    return ok(places.config)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return problem(detail, 'Mend the line; "wcp config validate" checks it.')
  }
}

function accounts(): Finding {
  const names = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':')[0])
  const absent = ['wcp360', 'wcp360-waker', 'wcp360-log', 'wcp360-web', 'www-data'].filter(
    (name) => !names.includes(name),
  )
  return absent.length === 0
    ? ok('wcp360, wcp360-waker, wcp360-log, wcp360-web, www-data')
    : problem(`no account ${absent.join(', ')}`, 'Run install.sh again.')
}

function webServer({ nginxConfig }: Layout): Finding {
  if (!existsSync(nginxConfig)) return problem(`there is no ${nginxConfig}`, 'Install nginx, and run install.sh again.')
  return hasOwnWorkers(readFileSync(nginxConfig, 'utf8'))
    ? ok('its workers run as wcp360-web')
    : warning(
        'its workers do not run as wcp360-web, so other programs may read TLS keys',
        `Write "user wcp360-web;" in ${nginxConfig} and restart the daemon.`,
      )
}

function permissions(places: Layout): Finding {
  const wanted: readonly (readonly [path: string, mode: number])[] = [
    [places.executable, 0o755],
    [places.agentState, 0o700],
    [places.panelState, 0o700],
    [places.secrets, 0o700],
    [places.ssl, 0o700],
    [places.panelRun, 0o700],
    [places.wakerRun, 0o700],
    ...(existsSync('/run/systemd/system') ? [[places.customers.root, 0o710] as const] : []), // elsewhere namespaces decide
  ]
  const wrong = wanted.flatMap(([path, mode]) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return [`${path} is not there`]
    const found = stat.mode & 0o7777
    return found === mode ? [] : [`${path} is ${found.toString(8)}, not ${mode.toString(8)}`]
  })
  return wrong.length === 0 ? ok('as installed') : problem(wrong.join('; '), reinstall)
}

function ports(places: Layout): Finding {
  if (!existsSync(places.config)) return problem(`no port is known without ${places.config}`, installs)
  const config = loadConfig(readFileSync(places.config, 'utf8'), process.env, places.config)
  const open = listeningPorts()
  const wanted = [config.httpPort, config.httpsPort, ...panelAddresses(config).map(({ port }) => port)]
  const closed = wanted.filter((port) => !open.has(port))
  return closed.length === 0
    ? ok(wanted.join(', '))
    : problem(
        `nothing answers on ${closed.join(', ')}`,
        'Start the daemon with "systemctl start wcpd"; "wcp logs" tells why it does not.',
      )
}

/** Ports in state LISTEN (0A) of /proc/net/tcp and tcp6 (proc(5)). */
function listeningPorts(): ReadonlySet<number> {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1))
  return new Set(
    lines
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === '0A')
      .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16)),
  )
}

async function panel(call: CallPanel): Promise<Finding> {
  const { body } = await call({ method: 'GET', target: `${apiRoot}/health` })
  const health = HealthSnapshot.safeParse(body)
  if (!health.success)
    return problem('answers in a form this wcp does not know', 'Restart the daemon: "systemctl restart wcpd".')
  const failed = health.data.services.filter(({ state }) => state !== 'running')
  if (failed.length > 0) {
    return problem(
      failed.map(({ name, state }) => `${name} is ${state}`).join(', '),
      'Look into "wcp logs", then "systemctl restart wcpd".',
    )
  }
  if (health.data.missing.length > 0)
    return warning(health.data.missing.join(' '), 'These protections need a whole server with systemd.')
  return ok('answers, with its agent and services')
}
