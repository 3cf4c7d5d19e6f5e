import { describe, expect, it } from 'vitest'
import { httpCall } from './http-call.ts'

describe('httpCall', () => {
  it('puts path keys into the path, escaped, and the rest into the body', () => {
    expect(httpCall({ http: 'PATCH /tenants/{tenant}' }, { tenant: 'a/b', package: 'gold', php: undefined })).toEqual({
      method: 'PATCH',
      target: '/api/v1/tenants/a%2Fb',
      body: { package: 'gold' },
    })
  })

  it('puts the rest into the query where there is no body', () => {
    expect(httpCall({ http: 'GET /tenants' }, { limit: 10, search: 'a&b' })).toEqual({
      method: 'GET',
      target: '/api/v1/tenants?limit=10&search=a%26b',
    })
  })

  it('asks for a plan in the query', () => {
    expect(httpCall({ http: 'POST /tenants' }, { name: 'acme' }, true)).toEqual({
      method: 'POST',
      target: '/api/v1/tenants?plan=1',
      body: { name: 'acme' },
    })
  })
})
