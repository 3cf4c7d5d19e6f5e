/** The web server's own program: its version, the test of its configuration, its running master. */
import { readFileSync } from 'node:fs'
import { WcpError } from '../../contract/errors.ts'
import { type NginxVersion, parseNginxVersion } from '../render/nginx.ts'
import { exec, type ServiceProcess, spawnService } from './exec.ts'
import type { Layout } from './layout.ts'

export const nginxBinary = '/usr/sbin/nginx'

export async function nginxVersion(): Promise<NginxVersion> {
  const { stderr } = await exec(nginxBinary, ['-v'])
  const version = parseNginxVersion(stderr)
  if (!version) throw new WcpError('machine_failed', 'Cannot tell the version of nginx', { cause: new Error(stderr) })
  return version
}

/** `nginx -t`; throws `machine_failed` with the first line of what nginx says is wrong. */
export async function testNginxConfig(places: Layout): Promise<void> {
  const { code, stderr } = await exec(nginxBinary, ['-t', '-q', '-c', places.nginxConfig])
  if (code === 0) return
  const words = stderr.split('\n').find((line) => line.includes('[emerg]')) ?? stderr.trim()
  throw new WcpError(
    'machine_failed',
    `Cannot use nginx's configuration: ${words.replace(/^.*\[emerg\] (\d+#\d+: )?/, '')}`,
    {
      help: 'Mend or remove the named file and try again; nginx keeps running with what it had.',
      cause: new Error(stderr),
    },
  )
}

/** Process id of the running master, by its pid file; a file that names another program's process counts for nothing. */
export function nginxMaster(places: Layout): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(places.nginxPid, 'utf8'), 10)
    if (!(pid > 1)) return undefined
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'nginx' ? pid : undefined
  } catch {
    return undefined // no pid file or no such process: not running
  }
}

export function startNginx(places: Layout): Promise<ServiceProcess> {
  return spawnService(nginxBinary, ['-c', places.nginxConfig, '-g', 'daemon off;'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}
