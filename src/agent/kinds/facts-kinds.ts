/** Every kind whose being on the machine is a list of facts. */
import type { FactsKind } from './facts-kind.ts'
import type { AnyProvisioner } from './provisioner.ts'
import { sshKey } from './ssh-key.ts'

export const factsKinds = [sshKey] as const satisfies readonly FactsKind[]

type TypeOf<K> = K extends FactsKind<infer T> ? T : never

/** By job type. */
export const factsProvisioners = Object.assign({}, ...factsKinds.map((one: FactsKind) => one.provisioners)) as Readonly<
  Record<TypeOf<(typeof factsKinds)[number]>, AnyProvisioner>
>
