import { expect, it } from 'vitest'
import { whence } from './network.ts'

it.each([
  ['192.0.2.77', ['192.0.0.0/16', '192.0.2.0/24', '192.0.2.77/32']],
  ['::ffff:192.0.2.77', ['192.0.0.0/16', '192.0.2.0/24', '192.0.2.77/32']],
  ['2001:db8:1:2:3:4:5:6', ['2001:db8::/32', '2001:db8:1::/48', '2001:db8:1:2::/64']],
  ['2001:db8::6', ['2001:db8::/32', '2001:db8::/48', '2001:db8::/64']],
  ['fe80::1%eth0', ['fe80::/32', 'fe80::/48', 'fe80::/64']],
  ['local', ['local', 'local', 'local']],
])('%s is of %j', (address, [range, network, source]) => {
  expect(whence(address)).toEqual({ range, network, source })
})
