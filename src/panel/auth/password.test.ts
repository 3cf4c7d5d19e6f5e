import { describe, expect, it } from 'vitest'
import { passwordHasher, semaphore } from './password.ts'

const cheap = passwordHasher({ memory: 64, passes: 1 })

describe('passwordHasher', () => {
  it('hashes with 64 MiB and three passes into a PHC string', async () => {
    const phc = await passwordHasher().hash('correct horse battery')

    expect(phc).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(await passwordHasher().verify('correct horse battery', phc)).toEqual({ ok: true, outdated: false })
  })

  it('takes the right password only', async () => {
    const phc = await cheap.hash('pässword with ünïcode')

    expect((await cheap.verify('pässword with ünïcode', phc)).ok).toBe(true)
    expect((await cheap.verify('password with unicode', phc)).ok).toBe(false)
    expect((await cheap.verify('', phc)).ok).toBe(false)
  })

  it('salts each hash', async () => {
    expect(await cheap.hash('same')).not.toBe(await cheap.hash('same'))
  })

  it('says that a hash of another cost is due for renewal', async () => {
    const old = await passwordHasher({ memory: 32, passes: 1 }).hash('secret')

    expect(await cheap.verify('secret', old)).toEqual({ ok: true, outdated: true })
    expect(await cheap.verify('wrong', old)).toEqual({ ok: false, outdated: false })
  })

  it.each([null, '', '!', '$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA', '$argon2id$v=19$m=64,t=1,p=1$x$y'])(
    'refuses every password for the stored value %j',
    async (phc) => {
      expect(await cheap.verify('', phc)).toEqual({ ok: false, outdated: false })
    },
  )
})

describe('semaphore', () => {
  it('runs so many at once, keeps so many waiting, and refuses the rest', async () => {
    const enter = semaphore(2, 3)
    const gate = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    const task = async () => {
      most = Math.max(most, ++running)
      await gate.promise
      running--
    }

    const entered = Array.from({ length: 5 }, () => enter(task))
    await expect(enter(task)).rejects.toMatchObject({ code: 'too_many_requests' })
    gate.resolve()
    await Promise.all(entered)

    expect(most).toBe(2)
    await expect(enter(async () => 'free again')).resolves.toBe('free again')
  })

  it('frees its place when a task fails', async () => {
    const enter = semaphore(1, 0)

    await expect(enter(() => Promise.reject(new Error('no')))).rejects.toThrow('no')

    await expect(enter(async () => 1)).resolves.toBe(1)
  })
})
