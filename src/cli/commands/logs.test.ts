import { expect, it } from 'vitest'
import { logs } from './logs.ts'

it('says that there is no log, and what makes it', async () => {
  await expect(logs('/nowhere/wcpd.log', false).run([], {})).rejects.toMatchObject({
    code: 'not_found',
    message: 'Cannot show messages: there is no /nowhere/wcpd.log',
    help: expect.stringContaining('at its first start'),
  })
})
