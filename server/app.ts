import type { Context } from './context.ts'
import { readAuditRoute } from './api/audit/read-audit.ts'
import { recordLimits } from './api/record-limits.ts'
import { endConnections } from './http/connections.ts'
import { type App, createFastify } from './http/fastify.ts'
import { healthRoute, readyRoute } from './api/public/health.ts'
import { mailPreviewRoute } from './api/public/mail-preview.ts'
import { docsRoute } from './api/public/docs.ts'
import { webAppRoute } from './api/public/web-app.ts'
import { listJobsRoute } from './api/jobs/list-jobs.ts'
import { previewCleanUpRoute } from './api/jobs/preview-clean-up.ts'
import { runCleanUpRoute } from './api/jobs/run-clean-up.ts'
import { listMailRoute } from './api/mail/list-mail.ts'
import { resendMailRoute } from './api/mail/resend-mail.ts'
import { endOtherSessionsRoute } from './api/me/end-other-sessions.ts'
import { endSessionRoute } from './api/me/end-session.ts'
import { endUserSessionsRoute } from './api/users/end-user-sessions.ts'
import { createGuards, type Guards } from './api/guards.ts'
import { listSessionsRoute } from './api/me/list-sessions.ts'
import { logInRoute } from './api/auth/log-in.ts'
import { reauthenticateRoute } from './api/auth/reauthenticate.ts'
import { logOutRoute } from './api/auth/log-out.ts'
import { refreshRoute } from './api/auth/refresh.ts'
import { showIssuerRoute } from './api/public/show-issuer.ts'
import { showSigningKeysRoute } from './api/public/show-signing-keys.ts'
import { addPhoneRoute } from './api/me/add-phone.ts'
import { changePasswordRoute } from './api/me/change-password.ts'
import { changeEmailRoute } from './api/me/change-email.ts'
import { confirmEmailRoute } from './api/me/confirm-email.ts'
import { confirmPhoneRoute } from './api/me/confirm-phone.ts'
import { deleteMeRoute } from './api/me/delete-me.ts'
import { deleteUserRoute } from './api/users/delete-user.ts'
import { exportMeRoute } from './api/me/export-me.ts'
import { forgotPasswordRoute } from './api/auth/forgot-password.ts'
import { listUserMailRoute } from './api/users/list-user-mail.ts'
import { listUserSessionsRoute } from './api/users/list-user-sessions.ts'
import { readUserAuditRoute } from './api/users/read-user-audit.ts'
import { inviteUserRoute } from './api/users/invite-user.ts'
import { resendInvitationRoute } from './api/users/resend-invitation.ts'
import { revokeInvitationRoute } from './api/users/revoke-invitation.ts'
import { resendUserCodeRoute } from './api/users/resend-user-code.ts'
import { sendPasswordResetRoute } from './api/users/send-password-reset.ts'
import { listUsersRoute } from './api/users/list-users.ts'
import { removePhoneRoute } from './api/me/remove-phone.ts'
import { resendCodeRoute } from './api/auth/resend-code.ts'
import { resetPasswordRoute } from './api/auth/reset-password.ts'
import { showSettingsRoute } from './api/settings/show-settings.ts'
import { showStatsRoute } from './api/stats/show-stats.ts'
import { showMeRoute } from './api/me/show-me.ts'
import { showUserRoute } from './api/users/show-user.ts'
import { signUpRoute } from './api/auth/sign-up.ts'
import { undoEmailChangeRoute } from './api/auth/undo-email-change.ts'
import { unlockUserLoginRoute } from './api/users/unlock-user-login.ts'
import { updateMeRoute } from './api/me/update-me.ts'
import { updateUserRoute } from './api/users/update-user.ts'
import { verifyRoute } from './api/auth/verify.ts'

/** Every endpoint of the API. Each file is named after its operation. */
function endpoints(app: App, ctx: Context, guards: Guards): void {
  // First in the documentation, because most other routes require its token.
  logInRoute(app, ctx) // POST /auth/login
  signUpRoute(app, ctx) // POST /auth/signup
  verifyRoute(app, ctx) // POST /auth/verify
  resendCodeRoute(app, ctx) // POST /auth/verify/resend
  refreshRoute(app, ctx) // POST /auth/refresh
  logOutRoute(app, ctx, guards) // POST /auth/logout
  reauthenticateRoute(app, ctx, guards) // POST /auth/reauthenticate
  undoEmailChangeRoute(app, ctx) // POST /auth/email/undo
  forgotPasswordRoute(app, ctx) // POST /auth/password/forgot
  resetPasswordRoute(app, ctx) // POST /auth/password/reset

  showMeRoute(app, ctx, guards) // GET /me
  updateMeRoute(app, ctx, guards) // PATCH /me
  deleteMeRoute(app, ctx, guards) // DELETE /me
  exportMeRoute(app, ctx, guards) // GET /me/export
  changePasswordRoute(app, ctx, guards) // POST /me/password
  addPhoneRoute(app, ctx, guards) // POST /me/phone
  confirmPhoneRoute(app, ctx, guards) // POST /me/phone/confirm
  removePhoneRoute(app, ctx, guards) // DELETE /me/phone
  changeEmailRoute(app, ctx, guards) // POST /me/email
  confirmEmailRoute(app, ctx, guards) // POST /me/email/confirm
  listSessionsRoute(app, ctx, guards) // GET /me/sessions
  endOtherSessionsRoute(app, ctx, guards) // DELETE /me/sessions
  endSessionRoute(app, ctx, guards) // DELETE /me/sessions/{id}

  listUsersRoute(app, ctx, guards) // GET /users
  inviteUserRoute(app, ctx, guards) // POST /users
  showUserRoute(app, ctx, guards) // GET /users/{id}
  updateUserRoute(app, ctx, guards) // PATCH /users/{id}
  deleteUserRoute(app, ctx, guards) // DELETE /users/{id}
  listUserSessionsRoute(app, ctx, guards) // GET /users/{id}/sessions
  endUserSessionsRoute(app, ctx, guards) // DELETE /users/{id}/sessions
  unlockUserLoginRoute(app, ctx, guards) // DELETE /users/{id}/login-lock
  resendInvitationRoute(app, ctx, guards) // POST /users/{id}/invitation
  revokeInvitationRoute(app, ctx, guards) // DELETE /users/{id}/invitation
  sendPasswordResetRoute(app, ctx, guards) // POST /users/{id}/password-reset
  resendUserCodeRoute(app, ctx, guards) // POST /users/{id}/verification
  listUserMailRoute(app, ctx, guards) // GET /users/{id}/mail
  readUserAuditRoute(app, ctx, guards) // GET /users/{id}/audit

  listMailRoute(app, ctx, guards) // GET /mail
  resendMailRoute(app, ctx, guards) // POST /mail/{id}/resend

  readAuditRoute(app, ctx, guards) // GET /audit

  showStatsRoute(app, ctx, guards) // GET /stats
  listJobsRoute(app, ctx, guards) // GET /jobs
  previewCleanUpRoute(app, ctx, guards) // POST /jobs/clean-up/dry-run
  runCleanUpRoute(app, ctx, guards) // POST /jobs/clean-up/run
  showSettingsRoute(app, ctx, guards) // GET /settings
}

export interface AppOptions {
  /** True once the stop is announced: `/ready` answers 503, and each response ends its connection. */
  readonly isDraining?: () => boolean
  /** True once each response is to end its connection, although this process is ready. */
  readonly isLeaving?: () => boolean
  /** For `npm run dev`: previews all mails, and serves the web app as it was last built. */
  readonly isDevelopment?: boolean
}

/** The HTTP application: the API under `/api/v1` and, for old clients, under `/`; other routes at the root. */
export function createApp(
  ctx: Context,
  { isDraining = () => false, isLeaving = () => false, isDevelopment = false }: AppOptions = {},
): App {
  const app = createFastify(ctx)
  endConnections(app, () => isDraining() || isLeaving())
  recordLimits(app, ctx)
  const guards = createGuards(ctx)
  app.register(async (api) => endpoints(api as App, ctx, guards), { prefix: '/api/v1' })
  app.register(async (api) => {
    // The unprefixed routes are hidden from the OpenAPI document.
    api.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, hide: true }
    })
    endpoints(api, ctx, guards)
  })
  app.register(async (root) => {
    healthRoute(root)
    readyRoute(root, ctx, isDraining)
    showIssuerRoute(root, ctx) // GET /.well-known/oauth-authorization-server
    showSigningKeysRoute(root, ctx) // GET /.well-known/jwks.json
    if (ctx.config.docs) docsRoute(root, ctx) // GET /docs, /openapi.json
    webAppRoute(root, ctx, { isRebuilt: isDevelopment }) // GET /, /reset, …, /assets/{file}
    if (isDevelopment) mailPreviewRoute(root, ctx)
  })
  return app
}
