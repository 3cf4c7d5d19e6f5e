import { describe, expect, it } from 'vitest'
import { AllowedMethods } from './allowed-methods.ts'

describe('AllowedMethods', () => {
  const allowed = new AllowedMethods()
  allowed.add('/tenants', ['GET', 'HEAD'])
  allowed.add('/tenants', 'POST')
  allowed.add('/tenants/:tenant', 'GET')
  allowed.add('/assets/*', 'GET')

  it.each([
    ['/tenants', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/tenants/acme', ['GET', 'OPTIONS']],
    ['/assets/a/b.css', ['GET', 'OPTIONS']],
    ['/tenants/', []],
    ['/tenants/acme/x', []],
    ['/', []],
  ])('knows %s', (path, methods) => {
    expect(allowed.of(path)).toEqual(methods)
  })
})
