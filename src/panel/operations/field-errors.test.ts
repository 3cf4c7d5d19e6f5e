import { expect, it } from 'vitest'
import { z } from 'zod'
import { DomainName } from '../../lib/domain-name.ts'
import { badInput } from './field-errors.ts'

it('tells what is wrong with a name apart from what is accepted', () => {
  const input = { fqdn: 'not_a_domain', php: 1 }
  const { error } = z.strictObject({ fqdn: DomainName }).safeParse(input)

  expect(error && badInput(error, input, ['fqdn']).fields).toEqual([
    {
      field: 'fqdn',
      problem: 'has a character that no host name has',
      accepted: 'a host name such as shop.example.com',
    },
    { field: 'php', problem: 'is not known here', accepted: 'only fqdn' },
  ])
})
