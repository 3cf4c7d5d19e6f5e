import { describe, expect, it } from 'vitest'
import { TenantName } from '../../contract/values.ts'
import { parsePool, poolOf, suffixOf, tenantOf } from './fpm-pool.ts'

const acme = TenantName.parse('acme')

describe('the name of a master', () => {
  it('is the tenant, and with its version where it stands apart', () => {
    expect([poolOf(acme), poolOf(acme, '8.2')]).toEqual(['acme', 'acme-8.2'])
    for (const pool of [poolOf(acme), poolOf(acme, '8.2')]) {
      expect([parsePool(pool), tenantOf(pool), `${acme}${suffixOf(pool)}`]).toEqual([pool, acme, pool])
    }
  })

  it.each(['', 'x', '20001', '20001-8.2', 'acme-', 'acme-7.4', 'acme-8.2-8.3', 'acme.8.2', '../acme', 'ACME'])(
    'is never "%s"',
    (text) => expect(parsePool(text)).toBeUndefined(),
  )
})
