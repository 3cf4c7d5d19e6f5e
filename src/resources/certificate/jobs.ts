/** The jobs of a site's certificate. Its key is made by the root side and never leaves it. */
import { z } from 'zod'
import { defineJob } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import { chainText, longestChain, parseChain } from '../../lib/certificate-chain.ts'

/** The certificates alone, the server's first, written as they are stored. */
export const CertificateChain = z
  .string()
  .max(longestChain, { error: `at most ${longestChain} characters` })
  .refine(isCanonical, {
    error: 'certificates in PEM, the server’s own first, each issued by the next, and nothing else',
  })

const about = { tenant: Id, certificate: Id }
const common = { kind: 'certificate', destructive: false, timeoutSeconds: 60 } as const

/** Makes the key. */
export const certificateCreate = defineJob({
  ...common,
  type: 'certificate.create',
  payload: z.strictObject({ ...about, domain: Id }),
  brake: 'changes',
  status: { queued: 'pending', succeeded: 'active', failed: 'error' },
})

/** Serves a chain for that key. */
export const certificateUpdate = defineJob({
  ...common,
  type: 'certificate.update',
  payload: z.strictObject({ ...about, chain: CertificateChain }),
  brake: 'changes',
  status: { queued: 'deploying', succeeded: 'active', failed: 'previous' },
})

function isCanonical(text: string): boolean {
  const chain = parseChain(text)
  return chain !== null && chainText(chain) === text
}
