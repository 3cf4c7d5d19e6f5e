import { describe, expect, it } from 'vitest'
import { fairGate, passwordHasher } from './password.ts'

const cheap = passwordHasher({ memory: 64, passes: 1 })

const place = ['here']

describe('passwordHasher', () => {
  it('hashes with 64 MiB and three passes into a PHC string', async () => {
    const phc = await passwordHasher().hash(place, 'correct horse battery')

    expect(phc).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(await passwordHasher().verify(place, 'correct horse battery', phc)).toEqual({ ok: true, outdated: false })
  })

  it('takes the right password only', async () => {
    const phc = await cheap.hash(place, 'pässword with ünïcode')

    expect((await cheap.verify(place, 'pässword with ünïcode', phc)).ok).toBe(true)
    expect((await cheap.verify(place, 'password with unicode', phc)).ok).toBe(false)
    expect((await cheap.verify(place, '', phc)).ok).toBe(false)
  })

  it('salts each hash', async () => {
    expect(await cheap.hash(place, 'same')).not.toBe(await cheap.hash(place, 'same'))
  })

  it('says that a hash of another cost is due for renewal', async () => {
    const old = await passwordHasher({ memory: 32, passes: 1 }).hash(place, 'secret')

    expect(await cheap.verify(place, 'secret', old)).toEqual({ ok: true, outdated: true })
    expect(await cheap.verify(place, 'wrong', old)).toEqual({ ok: false, outdated: false })
  })

  it.each([null, '', '!', '$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA', '$argon2id$v=19$m=64,t=1,p=1$x$y'])(
    'refuses every password for the stored value %j',
    async (phc) => {
      expect(await cheap.verify(place, '', phc)).toEqual({ ok: false, outdated: false })
    },
  )
})

describe('fairGate', () => {
  it('runs so many at once, keeps so many waiting, and refuses the rest', async () => {
    const enter = fairGate(2, 3)
    const gate = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    const task = async () => {
      most = Math.max(most, ++running)
      await gate.promise
      running--
    }

    const entered = Array.from({ length: 5 }, () => enter(place, task))
    await expect(enter(place, task)).rejects.toMatchObject({ code: 'too_many_requests' })
    gate.resolve()
    await Promise.all(entered)

    expect(most).toBe(2)
    await expect(enter(place, async () => 'free again')).resolves.toBe('free again')
  })

  it('frees its place when a task fails', async () => {
    const enter = fairGate(1, 0)

    await expect(enter(place, () => Promise.reject(new Error('no')))).rejects.toThrow('no')

    await expect(enter(place, async () => 1)).resolves.toBe(1)
  })

  it('turns away one of the crowd for somebody who comes alone, and lets them go before it', async () => {
    const enter = fairGate(1, 8)
    const gate = Promise.withResolvers<void>()
    const order: string[] = []
    const come = (path: readonly string[], name: string) =>
      enter(path, async () => {
        await gate.promise
        order.push(name)
      }).catch(({ code }) => order.push(`${name}: ${code}`))
    const crowd = Array.from({ length: 20 }, (_, at) => come(['strangers', 'botnet', `${at}`], `bot${at}`))

    const alone = [come(['strangers', 'home'], 'newcomer'), come(['known', 'admin'], 'admin')]
    gate.resolve()
    await Promise.all([...crowd, ...alone])

    const served = order.filter((name) => !name.includes(':'))
    expect(served.slice(0, 4)).toEqual(['bot0', 'bot1', 'admin', 'newcomer'])
    expect(served).toHaveLength(9)
    expect(order.filter((name) => name.endsWith(': too_many_requests'))).toHaveLength(13)
  })
})
