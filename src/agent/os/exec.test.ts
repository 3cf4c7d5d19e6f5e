import { describe, expect, it } from 'vitest'
import { exec, execOk, literalEnv, spawnService } from './exec.ts'

const node = process.execPath

describe('exec', () => {
  it('hands over input, arguments as they are, and both outputs', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error(JSON.stringify(process.argv.slice(1)))'

    const result = await exec(node, ['-e', script, '--', '$(id)', '; ls', '*'], { input: 'öl\n' })

    expect(result).toEqual({ code: 0, stdout: 'öl\n', stderr: '["$(id)","; ls","*"]\n' })
  })

  it('gives a literal environment and nothing of its own', async () => {
    process.env.WCP_SECRET_OF_THE_AGENT = 'x'

    const result = await exec('/usr/bin/env', [])

    expect(
      Object.fromEntries(
        result.stdout
          .trim()
          .split('\n')
          .map((line) => line.split('=')),
      ),
    ).toEqual(literalEnv)
  })

  it('returns a non-zero code as a result, and as an error from execOk', async () => {
    const argv = ['-e', 'console.error("no such thing"); process.exit(3)']

    expect(await exec(node, argv)).toMatchObject({ code: 3 })
    await expect(execOk(node, argv)).rejects.toMatchObject({
      code: 'machine_failed',
      message: `Cannot run "${node} -e": exit code 3`,
      cause: { message: 'no such thing' },
    })
  })

  it('kills the whole group after the time allowed', async () => {
    const began = Date.now()

    const failure = exec('/usr/bin/timeout', ['60', '/bin/sleep', '60'], { timeoutMs: 200 })

    await expect(failure).rejects.toMatchObject({ code: 'machine_failed', message: /killed/ })
    expect(Date.now() - began).toBeLessThan(5000)
  })

  it('fails when the output is longer than 64 KiB', async () => {
    await expect(exec(node, ['-e', 'process.stdout.write("x".repeat(70000))'])).rejects.toMatchObject({
      code: 'machine_failed',
      message: /over 64 KiB/,
    })
  })

  it.each([
    ['node', []],
    ['/bin/true', ['a\0b']],
  ])('refuses %j %j', async (file, argv) => {
    await expect(exec(file, argv)).rejects.toMatchObject({ code: 'internal' })
  })

  it('says which program could not be started', async () => {
    await expect(exec('/nonexistent/program', [])).rejects.toMatchObject({
      code: 'machine_failed',
      message: 'Cannot start "/nonexistent/program"',
    })
  })
})

describe('spawnService', () => {
  it('passes descriptors and bytes, and tells the end', async () => {
    const script = 'process.exit(require("fs").readFileSync(3, "utf8") === "seen" ? 7 : 1)'

    const service = await spawnService(node, ['-e', script], {
      stdio: ['ignore', 'ignore', 'ignore', Buffer.from('seen')],
    })

    expect(await service.ended).toBe(7)
  })
})
