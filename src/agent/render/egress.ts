/** The rules of nftables about where tenants' processes may connect to. */
import type { EgressPolicy } from '../../contract/values.ts'
import { providerAddresses, type Resolvers } from '../os/outside-addresses.ts'
import { uidRange } from '../os/tenant-uids.ts'
import { renderSystem } from './render.ts'

/** Of this machine: mail is handed in with a password, as from anywhere. */
const submission = [465, 587]

export interface EgressState {
  /** By uid; who is not in it has the usual policy. */
  readonly policies: ReadonlyMap<number, EgressPolicy>
  readonly resolvers: Resolvers
  /** On which this machine serves sites. */
  readonly webPorts: readonly number[]
}

export function renderEgress({ policies, resolvers, webPorts }: EgressState): string {
  const uids = (policy: EgressPolicy) => [...policies].flatMap(([uid, its]) => (its === policy ? [String(uid)] : []))
  return renderSystem('nftables/egress.nft.eta', {
    open: uids('open'),
    smtp: uids('smtp'),
    none: uids('none'),
    firstUid: uidRange.first,
    lastUid: uidRange.last,
    resolvers4: resolvers.ipv4,
    resolvers6: resolvers.ipv6,
    provider4: providerAddresses.ipv4,
    provider6: providerAddresses.ipv6,
    ports: [...new Set([...webPorts, ...submission])].map(String),
  })
}
