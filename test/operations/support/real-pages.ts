import type { RegisterPages } from '../../../src/panel/http/types.ts'
import { registerPages } from '../../../src/panel/pages/register-pages.ts'

/** The real pages, and the tests' way to a form token. */
export const realPages: RegisterPages = async (app, deps) => {
  app.get('/assets/token', { config: { access: 'public' } }, async (request, reply) =>
    deps.auth.formToken(request, reply),
  )
  return registerPages(app, deps)
}
