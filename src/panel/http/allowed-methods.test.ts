import { describe, expect, it } from 'vitest'
import { AllowedMethods } from './allowed-methods.ts'

describe('AllowedMethods', () => {
  const allowed = new AllowedMethods()
  allowed.add('/tenants', ['GET', 'HEAD'])
  allowed.add('/tenants', 'POST')
  allowed.add('/tenants/:tenant', 'GET')
  allowed.add('/assets/*', 'GET')

  allowed.addTable((path) => (path === '/api/v1/tenants' ? ['GET', 'OPTIONS'] : []))

  it.each([
    ['/api/v1/tenants', ['GET', 'OPTIONS']],
    ['/api/v1/other', []],
    ['/tenants', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/tenants/acme', ['GET', 'OPTIONS']],
    ['/assets/a/b.css', ['GET', 'OPTIONS']],
    [`/tenants/${'a'.repeat(256)}`, []],
    ['/tenants/', []],
    ['/tenants/acme/x', []],
    ['/', []],
  ])('knows %s', (path, methods) => {
    expect(allowed.of(path)).toEqual(methods)
  })
})
