import type { Context } from './context.ts'
import { type App, createFastify } from './http/fastify.ts'
import { healthRoute, readyRoute } from './http/health.ts'
import { mailPreviewRoute } from './http/mail-preview.ts'
import { describeApi, serveApiDocs } from './http/openapi.ts'
import { listMailRoute } from './outbox/list-mail.ts'
import { resendMailRoute } from './outbox/resend-mail.ts'
import { endUserSessionsRoute } from './sessions/end-user-sessions.ts'
import { createGuards, type Guards } from './sessions/guards.ts'
import { logInRoute } from './sessions/log-in.ts'
import { logOutRoute } from './sessions/log-out.ts'
import { refreshRoute } from './sessions/refresh.ts'
import { addPhoneRoute } from './users/add-phone.ts'
import { confirmPhoneRoute } from './users/confirm-phone.ts'
import { deleteUserRoute } from './users/delete-user.ts'
import { listUsersRoute } from './users/list-users.ts'
import { removePhoneRoute } from './users/remove-phone.ts'
import { resendCodeRoute } from './users/resend-code.ts'
import { showMeRoute } from './users/show-me.ts'
import { showUserRoute } from './users/show-user.ts'
import { signUpRoute } from './users/sign-up.ts'
import { updateMeRoute } from './users/update-me.ts'
import { updateUserRoute } from './users/update-user.ts'
import { verifyRoute } from './users/verify.ts'

/** Every endpoint of the API, in one list. */
function endpoints(app: App, ctx: Context, guards: Guards): void {
  signUpRoute(app, ctx)
  verifyRoute(app, ctx)
  resendCodeRoute(app, ctx)
  logInRoute(app, ctx)
  refreshRoute(app, ctx)
  logOutRoute(app, ctx, guards)

  showMeRoute(app, ctx, guards)
  updateMeRoute(app, ctx, guards)
  addPhoneRoute(app, ctx, guards)
  confirmPhoneRoute(app, ctx, guards)
  removePhoneRoute(app, ctx, guards)

  listUsersRoute(app, ctx, guards)
  showUserRoute(app, ctx, guards)
  updateUserRoute(app, ctx, guards)
  deleteUserRoute(app, ctx, guards)
  endUserSessionsRoute(app, ctx, guards)

  listMailRoute(app, ctx, guards)
  resendMailRoute(app, ctx, guards)
}

export interface AppOptions {
  /** True once the process was asked to stop: `/ready` says so. */
  readonly isDraining?: () => boolean
  /** Adds the page of example mails, for `npm run dev`. */
  readonly previewMails?: boolean
}

/** The whole HTTP side: the API under `/api/v1` and, as the original had it, under `/`; the rest at the root. */
export function createApp(
  ctx: Context,
  { isDraining = () => false, previewMails = false }: AppOptions = {},
): App {
  const app = createFastify(ctx)
  const guards = createGuards(ctx)
  describeApi(app)
  app.register(async (api) => endpoints(api as App, ctx, guards), { prefix: '/api/v1' })
  app.register(async (api) => {
    // The same routes without the prefix stay out of the document.
    api.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, hide: true }
    })
    endpoints(api, ctx, guards)
  })
  app.register(async (root) => {
    healthRoute(root)
    readyRoute(root, ctx, isDraining)
    serveApiDocs(root)
    if (previewMails) mailPreviewRoute(root, ctx)
  })
  return app
}
