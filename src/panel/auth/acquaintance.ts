/** Recognises people by the browser or the network they signed in from before. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { clientAddress } from '../http/client-address.ts'
import { newDeviceHeader, readDevice } from './device-cookie.ts'
import type { Path } from './fair-line.ts'
import type { KnownNetworks } from './known-networks.ts'
import { knownPlace, strangersPlace, whence } from './network.ts'

/** By what somebody is known to an account; null: they are a stranger to it. */
export type Known = { readonly kind: 'device' | 'session'; readonly id: string } | { readonly kind: 'network' } | null

export type Acquaintance = ReturnType<typeof acquaintance>

export function acquaintance({ db, networks, key }: { db: Db; networks: KnownNetworks; key: Buffer }) {
  const deviceOf = ({ headers }: FastifyRequest) => readDevice(key, headers.cookie)
  /** The person who has just signed in by a request. */
  const met = new WeakMap<FastifyRequest, Id>()

  return {
    /** Where a request stands before anything is read of it but its head: known is whoever is known to any account. */
    placeAtDoor(request: FastifyRequest): Path {
      const device = deviceOf(request)
      if (device !== null) return knownPlace(device.user)
      const address = clientAddress(request)
      return networks.isKnown(address) ? knownPlace(whence(address).network) : strangersPlace(address)
    },

    /** The same work for an account that does not exist. */
    async of(request: FastifyRequest, user: Id | null): Promise<Known> {
      const device = deviceOf(request)
      const isFromThere = await networks.knows(db, user ?? newId(), clientAddress(request))
      if (user !== null && device?.user === user) return { kind: 'device', id: device.id }
      return isFromThere ? { kind: 'network' } : null
    },

    /** Somebody has shown all that they owe; in the transaction of their session. */
    async meet(tx: Db, request: FastifyRequest, user: Id): Promise<void> {
      await networks.add(tx, user, clientAddress(request))
      met.set(request, user)
    },

    /** A browser is remembered, too, if it was one. */
    greet(request: FastifyRequest, reply: FastifyReply): void {
      const user = met.get(request)
      if (user !== undefined && deviceOf(request)?.user !== user) reply.header('set-cookie', newDeviceHeader(key, user))
    },
  }
}

/** Where a try stands in the line before a password is looked at. */
export function placeOf(request: FastifyRequest, user: Id | null, known: Known): Path {
  return known !== null && user !== null ? knownPlace(user) : strangersPlace(clientAddress(request))
}
