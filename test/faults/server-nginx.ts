/** F10: the web server dead, stopped on purpose, hanging, or without its port. */
import { expect } from 'vitest'
import { eventually, visit } from '../e2e/server.ts'
import { fault, faultInWholeRun } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

const status = (site: string) => `curl -s -m 60 -o /dev/null -w '%{http_code}' -H 'Host: ${site}' http://127.0.0.1/`
/** Ten times what a machine of one's own takes. */
const seconds = 300

export function nginxFaults(server: () => FaultyServer): void {
  const told = async (state: RegExp) =>
    await expect
      .poll(async () => (await server().service('nginx')).state, { timeout: seconds * 1000, interval: 1000 })
      .toMatch(state)
  const doctor = async () => (await server().machine.run(['wcp', 'doctor'])).stdout

  fault('F10', 'nginx killed', 'started again', async () => {
    const { machine } = server()
    const site = await server().customer('dead')
    await machine.succeed('systemctl kill -s KILL nginx')

    await eventually(machine, status(site), /200/, seconds)
    expect(Number(await machine.succeed('systemctl show -p NRestarts --value nginx'))).toBeGreaterThan(0)
    await told(/running/)
  })

  fault('F10', 'nginx hangs', 'told as failed', async () => {
    const { machine } = server()
    await machine.succeed('systemctl kill -s STOP nginx')
    try {
      await told(/failed/)
      expect((await server().service('nginx')).detail).toMatch(/no answer on port 80/)
      expect(await doctor()).toMatch(/nginx is failed/)
    } finally {
      await machine.succeed('systemctl kill -s CONT nginx')
    }
    await told(/running/)
  })

  faultInWholeRun('F10', 'a reload that hangs', 'told; the old configuration is put back', async () => {
    const { machine } = server()
    const file = '/etc/nginx/conf.d/wcp360.conf'
    const before = await machine.succeed(['cat', file])
    await machine.succeed('kill -STOP "$(cat /run/nginx.pid)"')
    try {
      await machine.succeed('echo "https_port: 8444" >>/etc/wcp360/config.yaml; systemctl reload wcpd')
      await eventually(machine, 'journalctl -u wcpd -o cat --no-pager', /did not take the new configuration/, seconds)
      expect(await machine.succeed(['cat', file])).toBe(before)
      expect((await visit(machine, 'dead.example.com')).status).toBe(200)
    } finally {
      await machine.succeed('kill -CONT "$(cat /run/nginx.pid)"')
    }
    await machine.succeed('systemctl reload wcpd')
    await eventually(machine, 'ss -Hltn "sport = :8444"', /LISTEN/, seconds)
    await machine.succeed(`sed -i '/^https_port/d' /etc/wcp360/config.yaml; systemctl reload wcpd`)
    await eventually(machine, `cmp ${file} - <<'END' && echo same\n${before}END`, /same/, seconds)
  })

  fault('F10', 'port taken', 'told; back when the port is free, without a storm', async () => {
    const { machine } = server()
    const restarts = async () => Number(await machine.succeed('systemctl show -p NRestarts --value nginx'))
    await machine.succeed('systemctl stop nginx; systemd-run --quiet --unit=squatter php -S 0.0.0.0:80 -t /run')
    try {
      await eventually(machine, 'ss -Hltn "sport = :80"', /LISTEN/, seconds)
      await machine.run('systemctl start nginx')
      const [since, before] = [performance.now(), await restarts()]

      await told(/failed|stopped/)
      expect(await doctor()).toMatch(/nginx is (failed|stopped)/)
      await server().must({ kind: 'domain', verb: 'create', name: 'meanwhile.example.com' }, 'dead')
      await machine.succeed('sleep 12')
      const again = (await restarts()) - before
      // systemd waits two seconds before each, and the first may be due already
      expect(again).toBeLessThanOrEqual((performance.now() - since) / 2000 + 1)
    } finally {
      await machine.succeed('systemctl stop squatter')
    }
    await eventually(machine, status('meanwhile.example.com'), /200/, seconds)
    await told(/running/)
  })

  faultInWholeRun('F10', 'nginx stopped by a person', 'no start of the daemon brings it back', async () => {
    const { machine } = server()
    await machine.succeed('systemctl stop nginx')
    await told(/stopped/)
    for (const deed of ['kill -s KILL wcpd', 'restart wcpd', 'reload wcpd']) {
      await machine.succeed(`systemctl ${deed}`)
      await eventually(machine, 'wcp status', /nginx +stopped/, 300)
    }
    expect((await machine.run('systemctl is-active nginx')).stdout).toBe('inactive\n')

    await machine.succeed('systemctl start nginx')
    await told(/running/)
  })
}
