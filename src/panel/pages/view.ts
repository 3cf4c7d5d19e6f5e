/** Pages out of templates: everything interpolated is escaped, and `<%~` is for templates inside templates only (a test holds that). */
import { Eta } from 'eta/core'
import { safeUrl } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import { assetText } from '../../program/assets.ts'

export interface MenuItem {
  readonly title: string
  readonly href: string
  readonly icon: string
  readonly current: boolean
}

/** The frame around a page. */
export interface Frame {
  readonly title: string
  readonly host: string | null
  readonly version: string
  readonly stylesheet: string
  /** null: nobody is signed in, the page stands alone without a menu. */
  readonly visitor: {
    readonly name: string
    /** Somebody else acts as this visitor, so long at most. */
    readonly acting: { readonly by: string; readonly until: string } | null
  } | null
  readonly menu: readonly { readonly title: string | null; readonly items: readonly MenuItem[] }[]
  /** Content comes before the menu, except on a page that is sent while something happens. */
  readonly menuFirst: boolean
  /** For the sign-out button and the page's own form. */
  readonly csrf: string
  readonly flash: { readonly kind: 'good' | 'bad'; readonly message: string } | null
}

/** Templates name each other as `/partials/layout`. */
class View extends Eta {
  readonly url = safeUrl

  constructor() {
    super({ cache: true, autoEscape: true, functionHeader: 'const { t } = it; const { url } = this;' })
    this.resolvePath = (template) => template
    this.readFile = (template) => assetText(`templates${template}.eta`)
  }
}

const view = new View()

/** @param page template below `templates/pages`, such as `tenant/list`. */
export function renderPage(t: Texts, page: string, model: object, frame: Frame): string {
  const body = view.render(`/pages/${page}`, { ...model, frame, t })
  return view.render('/partials/layout', { frame, body, t })
}

/** A piece of a page that is sent while the rest is still happening. */
export function renderPartial(t: Texts, partial: string, model: object): string {
  return view.render(`/partials/${partial}`, { ...model, t })
}
