import { describe, expect, it } from 'vitest'
import { choosePanel, panelCaller } from './choose-panel.ts'

const at = (hostname: string) => ({ hostname, port: 8360, origin: `https://${hostname}:8360` })

describe('the panel that is meant', () => {
  it.each([
    [['tenant', 'list'], {}, null],
    [['tenant', 'list'], { WCP_SERVER: '' }, null],
    [['tenant', 'list'], { WCP_SERVER: 'one.example' }, at('one.example')],
    [['--server', 'two.example', 'tenant', 'list'], { WCP_SERVER: 'one.example' }, at('two.example')],
    [['--server=two.example', 'tenant', 'list'], {}, at('two.example')],
  ])('by %j and %j', (argv, env, server) => {
    expect(choosePanel(argv, env)).toEqual({ server, root: '/', words: ['tenant', 'list'] })
  })

  it.each([
    ['--root', '/tmp/try', 'tenant', 'list'],
    ['--root=/tmp/try/', 'tenant', 'list'],
  ])('is that of an agent below a directory: %s', (...argv) => {
    const chosen = choosePanel(argv, { WCP_SERVER: 'one.example' })

    expect(chosen).toEqual({ server: null, root: '/tmp/try', words: ['tenant', 'list'] })
    expect(() => choosePanel(['--root'], {})).toThrow('"--root" needs a directory')
  })

  it('is named after --server', () => {
    expect(() => choosePanel(['--server'], {})).toThrow('"--server" needs an address')
    expect(() => choosePanel(['--server', 'tenant list'], {})).toThrow('Cannot use "tenant list" as a server')
  })

  it('is never that of this machine by accident, with a key in the environment', async () => {
    const ask = { secret: async () => '', text: async () => '', yes: async () => false }
    const call = panelCaller(null, { cliSocket: '/nowhere', env: { WCP_API_KEY: 'wcp_x' }, ask })

    await expect(call({ method: 'GET', target: '/' })).rejects.toThrow('Cannot use an API key without a server')
  })
})
