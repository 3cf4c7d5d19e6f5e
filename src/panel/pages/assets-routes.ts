/** The style sheet under its hash, and the icon. */
import type { FastifyInstance } from 'fastify'
import { asset, assetText } from '../../program/assets.ts'
import type { PageKit } from './page-kit.ts'

export function assetsRoutes(app: FastifyInstance, { stylesheet }: PageKit): void {
  app.get(stylesheet, { config: { access: 'public' } }, (_request, reply) =>
    reply
      .type('text/css; charset=utf-8')
      .header('cache-control', 'public, max-age=31536000, immutable')
      // A copy: the bytes of the executable are mapped read-only, and compression or TLS may want to own them.
      .send(Buffer.from(asset('styles.css'))),
  )
  app.get('/assets/favicon.svg', { config: { access: 'public' } }, (_request, reply) =>
    reply
      .type('image/svg+xml')
      .header('cache-control', 'public, max-age=86400')
      .send(assetText('templates/styles/favicon.svg')),
  )
}
