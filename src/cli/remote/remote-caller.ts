/** Speaks to the panel of another machine: by a key of the environment, else as the file of that server has it. */
import type { Ask } from '../ask.ts'
import type { CallPanel } from '../client.ts'
import { type Credential, keyClient, sender, sessionClient } from './remote-client.ts'
import type { ServerAddress } from './server-address.ts'
import { serverFile } from './server-file.ts'

/** @param given the key of the environment */
export function remoteCaller(
  server: ServerAddress,
  { env, ask, given }: { env: NodeJS.ProcessEnv; ask: Ask; given: Credential | null },
): CallPanel {
  const file = serverFile(server, env)
  const { WCP_FINGERPRINT: fingerprint = '' } = env
  const send = sender(server, () => (fingerprint === '' ? file.read().fingerprint : fingerprint))
  if (given !== null) return keyClient(send, given)
  const { key } = file.read()
  return key === null ? sessionClient(server, file, send, ask) : (call) => send(call, key)
}
