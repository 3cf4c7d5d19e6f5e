/** What several whole-server tests do with a server that runs the product. */
import type { Machine } from './harness/machine.ts'
import { rootPassword } from './harness/recipe.ts'
import { Visitor } from './visitor.ts'

export const admin = { email: 'admin@example.com', password: 'an entirely fine password' }

export async function browserOf(machine: Machine): Promise<Visitor> {
  return new Visitor(`https://127.0.0.1:${await machine.forward(8360)}`, 'testbox:8360')
}

/** Root's one sign-in, and the first administrator; answers the page that comes then. */
export async function setUp(machine: Machine, panel: Visitor): Promise<string> {
  const { report } = JSON.parse(await machine.succeed(['wcp', 'setup', 'open', '--json']))
  const second = await panel.submit(await panel.get(report.setup.path), '/bootstrap', { password: rootPassword })
  return await panel.submit(second, '/bootstrap/admin', { ...admin, repeat: admin.password })
}

/** A new session of the first administrator: one ends after 15 quiet minutes, which an emulated machine may take to boot. */
export async function signIn(machine: Machine): Promise<Visitor> {
  const panel = await browserOf(machine)
  await panel.submit(await panel.get('/login'), '/login', admin)
  return panel
}

/** Status of a site and what it said, asked on the server itself. */
export async function visit(machine: Machine, host: string, target = '/'): Promise<{ status: number; text: string }> {
  const said = await machine.succeed([
    ...['curl', '-sS', '-m', '60', '-w', '\n%{http_code}', '-H', `Host: ${host}`],
    `http://127.0.0.1${target}`,
  ])
  const cut = said.lastIndexOf('\n')
  return { status: Number(said.slice(cut + 1)), text: said.slice(0, cut) }
}

/** A page that tells as whom PHP runs, and in which cgroup. */
export async function putWhoPage(machine: Machine, tenant: string, host: string): Promise<void> {
  const file = `/srv/www/${tenant}/sites/${host}/public/who.php`
  await machine.succeed(`cat > '${file}' && chown ${tenant}:${tenant} '${file}'`, {
    input: '<?php echo posix_geteuid(), "\\n", file_get_contents("/proc/self/cgroup");',
  })
}

/** Asks until the answer is the wanted one; the last answer is the error. */
export async function eventually(machine: Machine, script: string, wanted: RegExp, seconds = 90): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const { stdout, stderr } = await machine.run(script)
    if (wanted.test(stdout)) return
    if (Date.now() > deadline) throw new Error(`${script}\nnever answered ${wanted}, but: ${stdout}${stderr}`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}
