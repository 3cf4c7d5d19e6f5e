/** The configuration as it is now. What can change while the panel runs is asked for anew each time. */
import type { Config } from '../lib/config.ts'
import { type HostPolicy, hostPolicy } from './http/host-check.ts'

export class LiveConfig {
  #now: Config
  #hosts: HostPolicy

  constructor(config: Config) {
    this.#now = config
    this.#hosts = policyOf(config)
  }

  get now(): Config {
    return this.#now
  }

  get hosts(): HostPolicy {
    return this.#hosts
  }

  get panelHost(): string {
    return new URL(this.#now.baseUrl).hostname
  }

  get canMail(): boolean {
    return this.#now.smtp !== null
  }

  replace(config: Config): void {
    this.#now = config
    this.#hosts = policyOf(config)
  }
}

function policyOf({ anyHost, baseUrl }: Config): HostPolicy {
  return hostPolicy(anyHost ? null : baseUrl)
}
