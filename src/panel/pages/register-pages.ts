/** All pages of the panel; what people see, and nothing that decides. */
import type { Texts } from '../../lib/texts.ts'
import { english } from '../../resources/index.ts'
import type { RegisterPages } from '../http/types.ts'
import { accountRoutes } from './account-routes.ts'
import { apiRoutes } from './api-routes.ts'
import { assetsRoutes } from './assets-routes.ts'
import { authRoutes } from './auth-routes.ts'
import { certificateRoutes } from './certificate-routes.ts'
import { csvRoutes } from './csv-routes.ts'
import { dashboardRoutes } from './dashboard-routes.ts'
import { detailRoutes } from './detail-routes.ts'
import { doRoutes } from './do-routes.ts'
import { driftRoutes } from './drift-routes.ts'
import { errorPage } from './error-page.ts'
import { fileRoutes } from './file-routes.ts'
import { HealthHistory } from './health-history.ts'
import { jobRoutes } from './job-routes.ts'
import { linkRoutes } from './link-routes.ts'
import { listRoutes } from './list-routes.ts'
import { manyRoutes } from './many-routes.ts'
import { createPageKit } from './page-kit.ts'
import { proofRoutes } from './proof-routes.ts'
import { searchRoutes } from './search-routes.ts'
import { settingsRoutes } from './settings-routes.ts'
import { terminalRoutes } from './terminal-routes.ts'
import { trashRoutes } from './trash-routes.ts'
import { uploadRoutes } from './upload-routes.ts'

export const registerPages: RegisterPages = pagesIn(english)

/** @param texts the catalogue that they speak */
export function pagesIn(texts: Texts): RegisterPages {
  return async (app, deps) => {
    const kit = createPageKit(deps, texts)
    assetsRoutes(app, kit)
    authRoutes(app, kit)
    proofRoutes(app, kit)
    linkRoutes(app, kit)
    dashboardRoutes(app, kit, new HealthHistory())
    searchRoutes(app, kit)
    listRoutes(app, kit)
    csvRoutes(app, kit)
    manyRoutes(app, kit)
    trashRoutes(app, kit)
    detailRoutes(app, kit)
    fileRoutes(app, kit)
    uploadRoutes(app, kit)
    driftRoutes(app, kit)
    jobRoutes(app, kit)
    settingsRoutes(app, kit)
    doRoutes(app, kit)
    terminalRoutes(app, kit)
    accountRoutes(app, kit)
    certificateRoutes(app, kit)
    apiRoutes(app, kit)
    return { errorPage: (error, request, reply) => errorPage(kit, error, request, reply) }
  }
}
