import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Receiver, startReceiver } from '../../../test/operations/support/receiver.ts'
import { type PostOptions, postTo } from './post.ts'

let receiver: Receiver

beforeAll(async () => {
  receiver = await startReceiver()
})

afterAll(() => receiver.stop())

const options = (more: Partial<PostOptions> = {}): PostOptions => ({
  ...{ headers: { 'x-test': '1' }, body: '{}', mayBePrivate: true, timeoutMs: 10_000, ca: receiver.ca },
  ...more,
})

describe('postTo', () => {
  it('sends headers and body, and gives back the status; a redirect is an answer like any other', async () => {
    receiver.answer = 302
    expect(await postTo(`${receiver.url}/hook?a=1`, options({ body: '{"a":1}' }))).toBe(302)

    expect(receiver.received).toHaveLength(1)
    expect(receiver.received[0]).toMatchObject({ path: '/hook?a=1', body: '{"a":1}', headers: { 'x-test': '1' } })
  })

  it.each([
    ['https://127.0.0.1:PORT/'],
    ['https://0x7f.1:PORT/'],
    ['https://2130706433:PORT/'],
    ['https://[::1]:PORT/'],
    ['https://[::ffff:127.0.0.1]:PORT/'],
    ['https://169.254.169.254/latest/meta-data/'],
    ['https://localhost:PORT/'],
  ])('leads to nothing inside: %s', async (url) => {
    const before = receiver.received.length
    const target = url.replace('PORT', new URL(receiver.url).port)

    await expect(postTo(target, options({ mayBePrivate: false }))).rejects.toThrow('no address of the public internet')
    expect(receiver.received).toHaveLength(before)
  })

  it('connects to the address that was looked at, and looks once', async () => {
    let looks = 0
    receiver.answer = 200
    const port = new URL(receiver.url).port
    const resolve: PostOptions['resolve'] = (_, __, answer) => {
      looks++
      answer(null, looks === 1 ? [{ address: '127.0.0.1', family: 4 }] : [{ address: '192.0.2.1', family: 4 }])
    }

    expect(await postTo(`https://localhost:${port}/`, options({ resolve }))).toBe(200)
    expect(looks).toBe(1)
  })

  it('leaves out the addresses inside of a name that has others, too', async () => {
    const resolve: PostOptions['resolve'] = (_, __, answer) =>
      answer(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ])
    await expect(postTo(receiver.url, options({ mayBePrivate: false, resolve }))).rejects.toThrow('"localhost"')
  })

  it('waits for a bounded time', async () => {
    receiver.answer = 'never'
    await expect(postTo(receiver.url, options({ timeoutMs: 200 }))).rejects.toThrow(/abort/i)
  })

  it('trusts no certificate that it does not know', async () => {
    await expect(postTo(receiver.url, options({ ca: undefined }))).rejects.toThrow(/self-signed/)
  })
})
