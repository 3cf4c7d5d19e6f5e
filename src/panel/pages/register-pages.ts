/** All pages of the panel; what people see, and nothing that decides. */
import type { RegisterPages } from '../http/types.ts'
import { accountRoutes } from './account-routes.ts'
import { apiRoutes } from './api-routes.ts'
import { assetsRoutes } from './assets-routes.ts'
import { authRoutes } from './auth-routes.ts'
import { certificateRoutes } from './certificate-routes.ts'
import { dashboardRoutes } from './dashboard-routes.ts'
import { detailRoutes } from './detail-routes.ts'
import { doRoutes } from './do-routes.ts'
import { errorPage } from './error-page.ts'
import { HealthHistory } from './health-history.ts'
import { jobRoutes } from './job-routes.ts'
import { linkRoutes } from './link-routes.ts'
import { listRoutes } from './list-routes.ts'
import { proofRoutes } from './proof-routes.ts'
import { settingsRoutes } from './settings-routes.ts'
import { createSite } from './site.ts'
import { terminalRoutes } from './terminal-routes.ts'

export const registerPages: RegisterPages = async (app, deps) => {
  const site = createSite(deps)
  assetsRoutes(app, site)
  authRoutes(app, site)
  proofRoutes(app, site)
  linkRoutes(app, site)
  dashboardRoutes(app, site, new HealthHistory())
  listRoutes(app, site)
  detailRoutes(app, site)
  jobRoutes(app, site)
  settingsRoutes(app, site)
  doRoutes(app, site)
  terminalRoutes(app, site)
  accountRoutes(app, site)
  certificateRoutes(app, site)
  apiRoutes(app, site)
  return { errorPage: (error, request, reply) => errorPage(site, error, request, reply) }
}
