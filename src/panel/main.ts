/** Role `wcpd panel`: reads what it was given, starts the panel, and ends it in order. */
import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import { ConfigError, panelAddresses } from '../lib/config.ts'
import { notifier } from '../program/notify.ts'
import { settleMemory } from '../program/settle-memory.ts'
import { operations } from '../resources/index.ts'
import { StoreUnusable } from '../store/store-unusable.ts'
import { AnotherPanel } from './another-panel.ts'
import { inheritedSockets, readCredentials } from './credentials.ts'
import { registerPages } from './pages/register-pages.ts'
import { type Panel, startPanel } from './panel.ts'

/** sysexits(3), with one line in place of a trace. */
const exitCodes = [
  // only a person can help
  [ConfigError, 78],
  [StoreUnusable, 65],
  // when that has ended, this one can be started
  [AnotherPanel, 75],
] as const

export async function main(): Promise<number> {
  process.umask(0o077)
  const { env } = process
  try {
    const credentials = readCredentials(env)
    const log = pino({ name: 'panel', level: credentials.config.logLevel }, pino.destination({ dest: 1, sync: false }))
    const systemd = notifier(env)
    const inherited = inheritedSockets(env, process.pid)
    const [listen, listenForCertificates] = inherited.length > 0 ? inherited : panelAddresses(credentials.config)
    const panel = await startPanel({
      ...credentials,
      listen: listen ?? credentials.config.listen,
      listenForCertificates,
      runDirectory: env.RUNTIME_DIRECTORY ?? '/run/wcp360/panel',
      webLogs: env.WEB_LOGS_DIRECTORY ?? '/var/log/wcp360/web',
      statePath: join(env.STATE_DIRECTORY ?? '/var/lib/wcp360', 'state.db'),
      log,
      operations,
      registerPages,
    })
    log.info({ port: panel.port }, 'the panel is ready')
    systemd.say('READY=1')
    settleMemory()
    // A blocked event loop misses them, and only the panel is restarted.
    const watchdog = systemd.watchdogMs && setInterval(() => systemd.say('WATCHDOG=1'), systemd.watchdogMs)
    process.on('SIGHUP', () => reload(panel, log))
    await endOfService(log)
    systemd.say('STOPPING=1')
    await panel.close()
    clearInterval(watchdog)
    log.info('the panel has stopped')
    return 0
  } catch (error) {
    const code = exitCodes.find(([kind]) => error instanceof kind)?.[1]
    if (code === undefined) throw error
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return code
  }
}

/** A configuration that cannot be read leaves the running one as it is. */
function reload(panel: Panel, log: Logger): void {
  try {
    const { config, tls } = readCredentials(process.env)
    panel.reload(config, tls)
    log.info('the configuration was read again')
  } catch (err) {
    log.error({ err }, 'the configuration was not taken')
  }
}

/** Resolves at the first SIGTERM or SIGINT; another one while the panel drains changes nothing. */
function endOfService(log: Logger): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        log.info({ signal }, 'the panel is stopping')
        resolve()
      })
  })
}
