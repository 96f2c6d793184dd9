// Written by npm run docs from docs/openapi.json.

export interface paths {
    "/api/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in
         * @description Starts a session. In the form variant the email is sent as `username`, as OAuth 2 requires, and the refresh token cannot be put into a cookie. If the browser has a session in the cookie, a login that replaces it ends it. The response reveals that an address is unverified or an account disabled only if the password is correct.
         */
        post: operations["logIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/signup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign up
         * @description Emails a six-digit code that verifies the address and activates the password of this sign-up. An unverified address can be signed up repeatedly, with up to five pending sign-ups; beyond them, the link of `/auth/password/forgot` sets a password and verifies the address. Keep `sign_up_id` and send it with the code, so that only your own sign-up can be activated. Emails are in English or German, according to `Accept-Language`. An account that is not verified in time (two days by default) is deleted.
         */
        post: operations["signUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify an address with the emailed code
         * @description Activates the password and the name of the sign-up that the code belongs to and discards all other sign-ups of the address. `sign_up_id` restricts the check to that sign-up; always send it. Without it, and if the pending sign-ups came from several networks, only those from the network of this request count: a user could otherwise enter the code of a stranger’s sign-up and give the account to its password. A user who cannot tell the emails apart sets a password with `/auth/password/forgot`, which verifies the address, too. The response is the same for an unknown address and for a wrong, expired or used code. Each address has five attempts; after that, one attempt per hour, at most twenty per day.
         */
        post: operations["verify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/verify/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resend the verification code
         * @description Resends the email of one sign-up. Without `sign_up_id`, resends those of every pending sign-up of the address or, if they came from several networks, of those from the network of this request. The code stays the same and is valid for another 24 hours (by default), but never longer than the account. The response is the same for known and unknown addresses. At most one email per minute and five per hour are sent.
         */
        post: operations["resendCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh the tokens
         * @description Refresh tokens rotate: keep the new one. If a response is lost, the previous token can be used again for a short grace period (30 seconds by default) and returns the same successor. An older token ends the session, because it may have been copied, and the user is notified by email. Without a token in the body, that of the cookie is refreshed, and the new one replaces it there; one that is not genuine is removed. With a token in the body and `cookie`, the new one moves into the cookie, and the session that the cookie had before ends.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out
         * @description Ends the session of the refresh token or, without one, the session of the Bearer token. If both are sent, the refresh token takes precedence. The session of the cookie ends, too, and the cookie is always removed. An unknown or expired refresh token is not an error. Access tokens of the session stop working immediately.
         */
        post: operations["logOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/reauthenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm my password
         * @description Confirms the password for this session. Admins can then change roles, disable admins and delete users for ten minutes (`REAUTHENTICATION_MINUTES`), as after a login. A refresh does not extend that time, and a change of the password ends it.
         */
        post: operations["reauthenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/email/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo a change of the email address with the emailed link
         * @description The token is the part after `#undo=` in the link that was emailed to the previous address. It works once, for 72 hours. The request restores that address, reverts all later changes of the address and invalidates their links. It ends every session and disables the password, because the person who changed the address knew it; a link to set a new password is emailed. Pending codes become invalid, and a phone number confirmed after the change is removed.
         */
        post: operations["undoEmailChange"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password/forgot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Email a link to set a new password
         * @description The link works once, for 30 minutes. While it works, another request mails the same link and renews it. Nothing changes until it is used. An unverified address also receives a link; using it verifies the address. The response is the same for known and unknown addresses. For each address, three emails per hour are sent on request from one network, and ten per hour in total; networks and devices of recent logins have places of their own. Beyond that, a link is mailed if the account has none that works, or if the last email is 20 minutes old. An address that the account left within the last 72 hours receives the link that undoes the change.
         */
        post: operations["forgotPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a new password with the emailed link
         * @description The token is the part after `#token=` in the link, before any `&`. A rejected password does not consume it. The request ends every session, invalidates pending codes and notifies the user by email; it does not start a session. An unverified address becomes verified, without a name. A disabled account stays disabled. The link of an invitation accepts it: the account gets the name and the role in the invitation.
         */
        post: operations["resetPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show my account */
        get: operations["showMe"];
        put?: never;
        post?: never;
        /**
         * Delete my account
         * @description Deletes the account and all personal data stored about you. All tokens stop working immediately, and a final email confirms the deletion. For 72 hours after a change of the address the request is refused, because the previous address can still recover the account. The address becomes available again; the id is never reused. Audit events are kept with the id, but without address, name or network.
         */
        delete: operations["deleteMe"];
        options?: never;
        head?: never;
        /**
         * Change my name
         * @description `null` removes the name. If the field is omitted, nothing changes.
         */
        patch: operations["updateMe"];
        trace?: never;
    };
    "/api/v1/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export my data
         * @description Returns all data stored about the caller, as a file, each list with the newest entries first. Secrets (the password hash and the ids from which links are derived) and data about other people (client addresses of admins) are omitted. The response is streamed; if it fails halfway or the session ends, the connection is closed before the end of the document.
         */
        get: operations["exportMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change my password
         * @description Ends all other sessions; the current session continues. Password reset links and a pending change of the address become invalid, and the user is notified by email. An admin’s password must have at least 15 characters. If a list of leaked passwords is configured, the response takes up to one second longer.
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/phone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add or change my phone number
         * @description Sends a six-digit code by text message, valid for ten minutes. The current number stays in use until the new one is confirmed. Another request invalidates the previous code. At most one text message per minute and five per hour are sent for each user, and five per hour to each number. Beyond these limits the response is the same, no message is sent, and the previous code stays valid. Phone numbers are not unique: several users may share one.
         */
        post: operations["addPhone"];
        /**
         * Remove my phone number
         * @description Removes the confirmed number and a pending one, whose code becomes invalid.
         */
        delete: operations["removePhone"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/phone/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm my phone number with the code
         * @description The response is the same for a wrong, expired or used code and if no number is pending. You have five attempts; after that, one attempt per hour, at most twenty per day. The code confirms the phone number only; it does not verify an email address.
         */
        post: operations["confirmPhone"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change my email address
         * @description Emails a six-digit code to the new address, valid for one hour. The current address stays in use until the code is confirmed. The response does not reveal whether the new address is registered: if the new address belongs to an account, or did less than 72 hours ago, its owner is notified by email and no code is created. For 72 hours after a change of the address the request is refused with `email_change_undoable`. Another request invalidates the previous code. At most one email per minute and five per hour are sent for each user, and five per hour to each address. Beyond these limits the response is the same, no email is sent, and the previous code stays valid.
         */
        post: operations["changeEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/email/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm my new email address with the code
         * @description Changes the address of the account; log in with the new address from now on. The previous address is notified and stays reserved for 72 hours, during which it can undo the change. All other sessions are ended; password reset links and a pending phone number become invalid. An unverified sign-up of the new address is deleted. The response is the same for a wrong, expired or used code, if no address is pending, and if the address has been taken in the meantime. Each user and each new address has five attempts; after that, one attempt per hour, at most twenty per day.
         */
        post: operations["confirmEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my sessions
         * @description Lists the active sessions, at most twenty, the most recently used first. `last_seen_at`, `ip` and `user_agent` refer to the login or the latest refresh, not to each request.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        /**
         * End all my other sessions
         * @description Logs out every other device immediately. The request is idempotent.
         */
        delete: operations["endOtherSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End one of my sessions
         * @description The tokens of the session stop working immediately. The current session can be ended, too. A session that has ended or belongs to another user is not found: if you retry after a lost response, 404 means that the session was ended.
         */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List users
         * @description Returns an array. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page. Pagination is stable: users that are added or deleted in the meantime cause neither duplicates nor gaps.
         */
        get: operations["listUsers"];
        put?: never;
        /**
         * Invite a user
         * @description Creates an unverified user and emails a link to choose a password, in the language of `Accept-Language`. The link works once, for seven days; using it verifies the address, and gives the account the name and the role. Until then `role` is `user` and `invited_role` is the role in the invitation; a user who is not verified by then is deleted. An unverified address that somebody signed up can be invited, too: those sign-ups stay pending until the invitation is accepted, and neither their codes nor `/auth/password/forgot` give the role. 409 `email_taken` for an address that is verified, invited, disabled, or reserved for a former owner. `POST /users/{id}/invitation` repeats an invitation, `DELETE` revokes it. The role `admin` requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.
         */
        post: operations["inviteUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a user */
        get: operations["showUser"];
        put?: never;
        post?: never;
        /**
         * Delete a user
         * @description Deletes the user and ends all sessions immediately. The address becomes available again; the id is never reused. Requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`. All active admins are notified by email.
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /**
         * Change a user
         * @description Users can change their own `full_name`; admins can change every user. Omitted fields stay unchanged. Disabling an account ends all its sessions and its invitation. You cannot change your own role or disable your own account, and the last active admin cannot be demoted or disabled. The role in an invitation cannot be changed: 409 `user_unverified`; revoke it. A change of a role, or of the state of an admin, and disabling who is invited to become one, requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.
         */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/api/v1/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the sessions of a user
         * @description Lists the active sessions, at most twenty, the most recently used first. `last_seen_at`, `ip` and `user_agent` refer to the login or the latest refresh, not to each request. `DELETE /users/{id}/sessions` ends them.
         */
        get: operations["listUserSessions"];
        put?: never;
        post?: never;
        /**
         * End all sessions of a user
         * @description Logs the user out on every device immediately, and revokes emailed links to set a new password. The user can log in again. For another admin it requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`).
         */
        delete: operations["endUserSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/login-lock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Lift the lock after wrong passwords
         * @description After 50 consecutive wrong passwords, logins with the address are refused with `login_locked` for a day. This request lifts that lock at once; further wrong passwords count anew. `GET /audit` with `event=login.failed` and `subject_id` lists why logins failed.
         */
        delete: operations["unlockUserLogin"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/invitation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Email an invitation again
         * @description Emails a new link, which works once, for another seven days, with the same name and role; earlier links no longer work. 404 `not_found` for a user who was not invited, or whose account has expired. At most five invitations an hour for each address. An invitation to become an admin requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.
         */
        post: operations["resendInvitation"];
        /**
         * Revoke an invitation
         * @description The link of the invitation no longer works, and nobody gets its role. Deletes the user, so that the address becomes available again, unless somebody has signed up with the address: then the account stays, unverified, with those sign-ups. It never deletes a user who has just accepted: 409 `user_verified`. 404 `not_found` for a user who was not invited. An invitation to become an admin requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`; all active admins are notified of it by email.
         */
        delete: operations["revokeInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Email a user a link to set a new password
         * @description As `POST /auth/password/forgot` of the user: the link works once, for 30 minutes, and nothing changes until it is used. The email does not name the admin. At most three an hour for each address, by all admins. An unverified user has no password yet: `POST /users/{id}/verification` mails the code again, `POST /users/{id}/invitation` the invitation.
         */
        post: operations["sendPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/verification": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Email the verification codes of a user again
         * @description Repeats the email of every pending sign-up of an unverified user, each with its own code and origin. The codes stay the same and are valid for another 24 hours (by default), but never longer than the account. At most one email per minute and five per hour are sent to an address. 404 `not_found` for an invited user who has not signed up: `POST /users/{id}/invitation` repeats the invitation.
         */
        post: operations["resendUserCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the messages to a user
         * @description Lists the emails and text messages to a user of the last 30 days with their delivery state, newest first, without their content, including those to former addresses. `POST /mail/{id}/resend` repeats one that failed. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.
         */
        get: operations["listUserMail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the events of a user
         * @description Returns what happened to a user and what the user did, newest first: the events of `GET /audit` of which the user is the subject or the actor. `GET /audit` filters them, and still has those of a deleted user. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.
         */
        get: operations["readUserAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List messages
         * @description Lists the emails and text messages of the last 30 days with their delivery state, newest first, without their content. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.
         */
        get: operations["listMail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/mail/{id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resend a failed message
         * @description Queues a `dead` or `bounced` message for redelivery, with the same id and a reset retry counter. A message that has become obsolete, such as an expired code, is then dropped.
         */
        post: operations["resendMail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the audit log
         * @description Returns an array, newest first. Events are written in the transaction of the change that they record, are immutable, and are deleted after `AUDIT_KEEP_DAYS`. Follow `Link: <…>; rel="next"` (RFC 8288) to the next page.
         */
        get: operations["readAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show figures of the service
         * @description Takes the same time whatever the number of users and events: each figure says whether it was counted, kept or estimated. The job `tally` counts the events of each day once an hour; those since then are counted for the response.
         */
        get: operations["showStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List recurring jobs
         * @description Lists the recurring jobs with their last run and the next one. Each time of a schedule runs once across all processes, and of each job only the newest run is stored.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/clean-up/dry-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Show what a clean-up would delete
         * @description Counts the accounts that were not verified within `UNVERIFIED_USER_TTL_HOURS` and says whether a run would delete them now. Deletes nothing. `GET /users?is_verified=false&sort=created_at` lists who they are.
         */
        post: operations["previewCleanUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/clean-up/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run the clean-up now
         * @description Requests a run of the clean-up, which a worker starts within seconds; `GET /jobs` shows what it did, and also that it refused. A request that no worker has taken after five minutes lapses, as does one of an admin who has lost the rights by then. Requires a login or `POST /auth/reauthenticate` within the last ten minutes (`REAUTHENTICATION_MINUTES`), or the `current_password`.
         */
        post: operations["runCleanUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show settings and findings
         * @description Shows the settings of the process that answers, and what `npm run cli -- doctor` finds there without opening connections or files. Of secrets, and of everything that may contain one, it says only whether they are set.
         */
        get: operations["showSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check liveness */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check readiness */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/oauth-authorization-server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the authorization server metadata
         * @description Returns the issuer of access tokens and the location of the public keys (RFC 8414). The service is not an OpenID provider. If `PUBLIC_URL` has a path, append it to this path (RFC 8414 section 3.1).
         */
        get: operations["showIssuer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the public keys for access tokens
         * @description Returns a JWK Set (RFC 7517). Cache it for ten minutes: a key is published 30 minutes before it is used, and until the last token that it signed has expired. The set is empty with `ALGORITHM=HS256`.
         */
        get: operations["showSigningKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description RFC 9457 problem details. */
        Problem: {
            /** @description Always `about:blank`; distinguish errors by `code`. */
            type: string;
            /** @description The reason phrase of the status. */
            title: string;
            status: number;
            /** @description A human-readable explanation in one sentence. */
            detail: string;
            /**
             * @description A stable error code: handle errors by this code, not by detail.
             * @enum {string}
             */
            code: "malformed_request" | "invalid_code" | "invalid_reset_token" | "invalid_undo_token" | "authentication_required" | "invalid_token" | "invalid_credentials" | "forbidden" | "cross_site_request" | "email_unverified" | "wrong_password" | "reauthentication_required" | "account_disabled" | "own_role" | "not_found" | "method_not_allowed" | "request_timeout" | "email_taken" | "last_admin" | "email_change_undoable" | "user_inactive" | "user_unverified" | "user_verified" | "user_disabled" | "job_busy" | "mail_not_failed" | "body_too_large" | "uri_too_long" | "unsupported_media_type" | "validation_failed" | "too_many_sign_ups" | "too_many_requests" | "login_locked" | "headers_too_large" | "internal_error" | "overloaded" | "database_unavailable";
            /** @description The request id, as in `X-Request-Id` and the log. */
            request_id: string;
            /** @description Only with `validation_failed`: the invalid fields. */
            errors?: {
                /** @description A JSON pointer (RFC 6901) into the body, or the name of a parameter. */
                pointer: string;
                /** @description The violated rule, such as required, format or too_short. */
                code: string;
                /** @description An explanation for a person. */
                detail: string;
            }[];
        };
        Credentials: {
            /**
             * Format: email
             * @description Case-insensitive. The local part must be ASCII.
             * @example ann@example.com
             */
            email: string;
            /**
             * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
             * @example correct horse battery staple
             */
            password: string;
            /**
             * @description Only for pages of this origin and of `CORS_ORIGINS` on the same site: puts the refresh token into a cookie that no script can read, instead of into the response.
             * @example false
             */
            cookie?: boolean;
        };
        LoginForm: {
            /**
             * Format: email
             * @description Case-insensitive. The local part must be ASCII.
             * @example ann@example.com
             */
            username: string;
            /**
             * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
             * @example correct horse battery staple
             */
            password: string;
            /** @constant */
            grant_type?: "password";
            /**
             * @description Accepted and ignored.
             * @example
             */
            scope?: string;
            /**
             * @description Accepted and ignored.
             * @example
             */
            client_id?: string;
            /**
             * @description Accepted and ignored.
             * @example
             */
            client_secret?: string;
        };
        /** @description A pair of tokens. */
        Tokens: {
            /**
             * @description A JWT (RFC 9068). Send it as `Authorization: Bearer …`.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.….…
             */
            access_token: string;
            /**
             * @description Valid for the next refresh only: every response contains a new one. Absent if a cookie contains it.
             * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
             */
            refresh_token?: string;
            /** @enum {string} */
            token_type: "bearer";
            /**
             * @description Seconds until the access token expires.
             * @example 1800
             */
            expires_in: number;
        };
        SignUp: {
            /**
             * Format: email
             * @description Case-insensitive. The local part must be ASCII.
             * @example ann@example.com
             */
            email: string;
            /**
             * @description At least 8 characters by default (PASSWORD_MIN_LENGTH), 15 for admins; at most 256 characters. Common and leaked passwords, and passwords that consist of the user’s address or name, are rejected with a code in errors. The password is neither trimmed nor truncated and is compared in Unicode NFC.
             * @example correct horse battery staple
             */
            password: string;
            /**
             * @description At most 200 characters; control, line break and bidi characters are not allowed. null means no name.
             * @example Ann Lee
             */
            full_name?: string | null;
        };
        /** @description The code is being sent. */
        PendingSignUp: {
            /** @example User registered successfully. … */
            message: string;
            /**
             * @description The address as it was sent.
             * @example ann@example.com
             */
            email: string;
            /**
             * Format: uuid
             * @description Identifies this sign-up.
             * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
             */
            sign_up_id: string;
            /**
             * @description The address that was probably intended, if the domain looks like a typo. The code was sent to the address in the request.
             * @example ann@gmail.com
             */
            did_you_mean?: string;
        };
        Verification: {
            /**
             * Format: email
             * @description Case-insensitive. The local part must be ASCII.
             * @example ann@example.com
             */
            email: string;
            /**
             * @description Six digits.
             * @example 042137
             */
            code: string;
            /**
             * Format: uuid
             * @description The `sign_up_id` from the response to the sign-up.
             * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
             */
            sign_up_id?: string;
        };
        PasswordReset: {
            /**
             * @description The token from the link.
             * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
             */
            token: string;
            /**
             * @description At least 8 characters by default (PASSWORD_MIN_LENGTH), 15 for admins; at most 256 characters. Common and leaked passwords, and passwords that consist of the user’s address or name, are rejected with a code in errors. The password is neither trimmed nor truncated and is compared in Unicode NFC.
             * @example correct horse battery staple
             */
            password: string;
        };
        /** @description A user. */
        User: {
            /**
             * @description Ids are never reused.
             * @example 42
             */
            id: number;
            /**
             * @description The address as the user entered it.
             * @example ann@example.com
             */
            email: string;
            /**
             * @description Null if no name was given; of an unverified account, the name in the invitation.
             * @example Ann Lee
             */
            full_name: string | null;
            /**
             * @description The confirmed phone number in E.164 format.
             * @example +12025550123
             */
            phone: string | null;
            /** @enum {string} */
            role: "user" | "admin";
            is_verified: boolean;
            disabled: boolean;
            /**
             * Format: date-time
             * @description Creation time of the account.
             * @example 2026-11-22T17:40:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description Time of the last change.
             * @example 2026-11-22T17:40:00.000Z
             */
            updated_at: string;
            /**
             * @description Only while an invitation is not accepted: the role that accepting it gives. Until then `role` is `user`.
             * @enum {string}
             */
            invited_role?: "user" | "admin";
            /**
             * Format: date-time
             * @description Only while unverified: the time when the account will be deleted, and when an invitation ends.
             * @example 2026-11-24T17:40:00.000Z
             */
            verification_expires_at?: string;
        };
        /** @description All data stored about the caller. */
        DataExport: {
            /**
             * Format: date-time
             * @description Time of the export.
             * @example 2026-11-22T17:40:00.000Z
             */
            exported_at: string;
            /** @description The account. The password hash is not exported. */
            user: {
                [key: string]: unknown;
            };
            /** @description Sign-ups. */
            sign_ups: {
                [key: string]: unknown;
            }[];
            /** @description Sessions with time, device and network. */
            sessions: {
                [key: string]: unknown;
            }[];
            /** @description Phone numbers pending confirmation. */
            phone_changes: {
                [key: string]: unknown;
            }[];
            /** @description Changes of the address. */
            email_changes: {
                [key: string]: unknown;
            }[];
            /** @description Links to set a new password. */
            password_resets: {
                [key: string]: unknown;
            }[];
            /** @description An invitation that is not accepted. */
            invitations: {
                [key: string]: unknown;
            }[];
            /** @description Wrong codes entered in the last 24 hours. */
            code_failures: {
                [key: string]: unknown;
            }[];
            /** @description Emails and text messages, without their content. */
            messages: {
                [key: string]: unknown;
            }[];
            /** @description The audit log. `actor` and `subject` are `me`, `another` or `nobody`; data about another user is null. */
            events: {
                [key: string]: unknown;
            }[];
            /** @description Always empty: every list is complete. */
            truncated: string[];
        };
        PasswordChange: {
            /**
             * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
             * @example your current password
             */
            current_password: string;
            /**
             * @description At least 8 characters by default (PASSWORD_MIN_LENGTH), 15 for admins; at most 256 characters. Common and leaked passwords, and passwords that consist of the user’s address or name, are rejected with a code in errors. The password is neither trimmed nor truncated and is compared in Unicode NFC.
             * @example correct horse battery staple
             */
            new_password: string;
        };
        EmailChange: {
            /**
             * Format: email
             * @description Case-insensitive. The local part must be ASCII.
             * @example ann@example.com
             */
            email: string;
            /**
             * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
             * @example your current password
             */
            current_password: string;
        };
        Session: {
            /**
             * Format: uuid
             * @description Identifies the session, for example to end it.
             * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
             */
            id: string;
            /**
             * Format: date-time
             * @description Time of the login.
             * @example 2026-11-22T17:40:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description Time of the login or the latest refresh.
             * @example 2026-11-22T17:40:00.000Z
             */
            last_seen_at: string;
            /**
             * @description Client address of the login or the latest refresh, if known.
             * @example 203.0.113.7
             * @example null
             */
            ip: string | null;
            /**
             * @description `User-Agent` of the login or the latest refresh.
             * @example CoffeeApp/2.1
             * @example null
             */
            user_agent: string | null;
            /**
             * @description Whether this request belongs to the session.
             * @example true
             */
            current: boolean;
        };
        Invitation: {
            /**
             * Format: email
             * @description Case-insensitive. The local part must be ASCII.
             * @example ann@example.com
             */
            email: string;
            /**
             * @description At most 200 characters; control, line break and bidi characters are not allowed. null means no name.
             * @example Ann Lee
             */
            full_name?: string | null;
            /**
             * @description What accepting the invitation gives.
             * @default user
             * @enum {string}
             */
            role: "user" | "admin";
            /**
             * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
             * @example your current password
             */
            current_password?: string;
        };
        UserChange: {
            /**
             * @description At most 200 characters; control, line break and bidi characters are not allowed. null means no name.
             * @example Ann Lee
             */
            full_name?: string | null;
            /** @enum {string} */
            role?: "user" | "admin";
            disabled?: boolean;
            /**
             * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
             * @example your current password
             */
            current_password?: string;
        };
        /** @description A session of a user. */
        UserSession: {
            /**
             * Format: uuid
             * @description Identifies the session, for example to end it.
             * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
             */
            id: string;
            /**
             * Format: date-time
             * @description Time of the login.
             * @example 2026-11-22T17:40:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description Time of the login or the latest refresh.
             * @example 2026-11-22T17:40:00.000Z
             */
            last_seen_at: string;
            /**
             * @description Client address of the login or the latest refresh, if known.
             * @example 203.0.113.7
             * @example null
             */
            ip: string | null;
            /**
             * @description `User-Agent` of the login or the latest refresh.
             * @example CoffeeApp/2.1
             * @example null
             */
            user_agent: string | null;
        };
        /** @description An email or text message. */
        Message: {
            /**
             * Format: uuid
             * @description The same for every delivery attempt; the `Message-ID` of an email begins with it.
             * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
             */
            id: string;
            /**
             * @description The kind of message.
             * @example verification
             */
            kind: string;
            /** @enum {unknown} */
            channel: "mail" | "sms";
            /**
             * @description `waiting`: queued. `sent`: accepted by the transport. `dropped`: obsolete before it was sent. `bounced`: rejected permanently. `dead`: retries exhausted. Bounced and dead messages can be resent.
             * @enum {unknown}
             */
            state: "waiting" | "sent" | "dropped" | "bounced" | "dead";
            /**
             * @description The recipient of the last delivery attempt. Null before the first attempt, after the user was deleted, and for `email_code`, whose address may belong to someone else.
             * @example ann@example.com
             */
            recipient: string | null;
            /**
             * @description The user that the message belongs to, if known.
             * @example 42
             */
            user_id: number | null;
            /**
             * Format: date-time
             * @description Creation time.
             * @example 2026-11-22T17:40:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description Time of the next delivery attempt.
             * @example 2026-11-22T17:40:00.000Z
             */
            due_at: string;
            /**
             * Format: date-time
             * @description Time when delivery ended; null while the message is waiting.
             * @example 2026-11-22T17:40:00.000Z
             */
            finished_at: string | null;
            /**
             * @description The number of times that a worker claimed the message.
             * @example 1
             */
            claims: number;
            /**
             * @description The number of times that delivery was deferred.
             * @example 0
             */
            refusals: number;
            /**
             * @description The error of the last delivery attempt.
             * @example 550 5.1.1 no such user
             */
            last_error: string | null;
        };
        /** @description An audit event. */
        AuditEvent: {
            /**
             * @description Ids increase over time.
             * @example 1001
             */
            id: number;
            /**
             * Format: date-time
             * @description Time of the event.
             * @example 2026-11-22T17:40:00.000Z
             */
            at: string;
            /**
             * @description `sign_up.received`: A sign-up was accepted with 201.
             *
             *     `user.created`: An operator created a verified account.
             *
             *     `user.invited`: An admin invited a user; `role` is what accepting gives.
             *
             *     `invitation.resent`: An admin had an invitation mailed again; earlier links no longer work.
             *
             *     `invitation.accepted`: The user chose a password with the link of the invitation; the account is active.
             *
             *     `invitation.revoked`: An invitation was revoked, or ended with the disabling of its user; `role` is what it gave.
             *
             *     `user.verified`: The address was verified with its code; the account is active.
             *
             *     `user.changed`: An admin or the user changed a field; changes of role and state have separate events.
             *
             *     `user.role_changed`: The role was changed.
             *
             *     `user.disabled`: The account was disabled and its sessions ended.
             *
             *     `user.enabled`: The account was re-enabled.
             *
             *     `user.deleted`: The account was deleted.
             *
             *     `users.read`: An admin read users, their sessions or their events; `pages` counts the pages of lists and the single users that one IP address read within an hour.
             *
             *     `clean_up.requested`: An admin requested a clean-up; `force` skips its check of the clock.
             *
             *     `users.cleaned_up`: The clean-up deleted accounts that were not verified in time. The actor is the admin who requested it.
             *
             *     `users.clean_up_refused`: The clean-up stopped because it would have deleted most accounts, and the clock was in doubt.
             *
             *     `verification.resent`: An admin had the codes of pending sign-ups mailed again; `mails` counts them.
             *
             *     `login.failed`: A login failed (see `reason`); recorded once per address, reason and hour. Without a subject if the address is not registered.
             *
             *     `login.unlocked`: An admin or an operator lifted the lock after wrong passwords.
             *
             *     `session.opened`: A user logged in.
             *
             *     `session.reauthenticated`: A user confirmed the password within a session.
             *
             *     `session.ended`: A session was ended by its user, or (see `reason`) because it tried to guess the password or sent a refresh token that this database never issued.
             *
             *     `session.replayed`: A refresh token was reused; its session was ended.
             *
             *     `sessions.ended`: Several sessions of a user were ended at once.
             *
             *     `password.changed`: The user changed the password.
             *
             *     `password.reset_requested`: An email to reset the password was created.
             *
             *     `password.reset`: The password was reset with an emailed link.
             *
             *     `password.refused`: The confirmation of the current password failed.
             *
             *     `email.change_requested`: A change of the address was requested.
             *
             *     `email.changed`: The new address was confirmed and is in use.
             *
             *     `email.change_undone`: The owner of the previous address undid the change.
             *
             *     `phone.changed`: A phone number was confirmed.
             *
             *     `phone.removed`: The phone number was removed.
             *
             *     `data.exported`: The user exported their data.
             *
             *     `mail.resent`: An admin or an operator resent a failed message.
             *
             *     `mail.read`: An admin listed messages and their recipients; `pages` counts as in `users.read`.
             *
             *     `limit.reached`: A rate limit refused requests; recorded once per key and window.
             *
             *     `key.rotated`: A new key for access tokens was published.
             * @enum {string}
             */
            event: "sign_up.received" | "user.created" | "user.invited" | "invitation.resent" | "invitation.accepted" | "invitation.revoked" | "user.verified" | "user.changed" | "user.role_changed" | "user.disabled" | "user.enabled" | "user.deleted" | "users.read" | "clean_up.requested" | "users.cleaned_up" | "users.clean_up_refused" | "verification.resent" | "login.failed" | "login.unlocked" | "session.opened" | "session.reauthenticated" | "session.ended" | "session.replayed" | "sessions.ended" | "password.changed" | "password.reset_requested" | "password.reset" | "password.refused" | "email.change_requested" | "email.changed" | "email.change_undone" | "phone.changed" | "phone.removed" | "data.exported" | "mail.resent" | "mail.read" | "limit.reached" | "key.rotated";
            /**
             * @description The actor; null for a client that was not logged in, the service itself or an operator.
             * @example 42
             */
            actor_id: number | null;
            /**
             * @description The affected user.
             * @example 42
             */
            subject_id: number | null;
            /**
             * @description Field names, ids, counts, and the role or state before and after. Contains no addresses, names or secrets.
             * @example {
             *       "before": "user",
             *       "after": "admin"
             *     }
             */
            changes: {
                [key: string]: unknown;
            };
            /**
             * @description The client address; null once the account is deleted.
             * @example 192.0.2.1
             */
            ip: string | null;
            /**
             * @description The request id, as in `X-Request-Id` and the log.
             * @example b2e0f1a4-6c1d-4a57-9a39-0d6d3a1f2c55
             */
            request_id: string | null;
        };
        /** @description A recurring job. */
        Job: {
            /** @enum {string} */
            name: "clean-up" | "purge" | "tally" | "erase";
            /**
             * @description A cron expression in UTC; with six fields, the first is seconds.
             * @example 0 0 * * *
             */
            schedule: string;
            /**
             * @description `requested`: a run was requested less than five minutes ago and waits for a worker. `running`: a process runs it, or ended during it less than 30 seconds ago.
             * @enum {unknown}
             */
            state: "idle" | "requested" | "running";
            /** @description The newest run that finished; earlier ones are in the log. Absent before the first one. */
            last_run?: {
                /**
                 * Format: date-time
                 * @description Its scheduled time, or the time when it was requested or started by a command.
                 * @example 2026-11-22T17:40:00.000Z
                 */
                at: string;
                /**
                 * @description `refused`: the clean-up deleted nobody, because it would have deleted most users and the clock may be wrong. `skipped`: the purge deleted nothing, because the run before it was more than 7 days ago.
                 * @enum {unknown}
                 */
                outcome: "done" | "refused" | "skipped";
                /**
                 * @description What it did, as in the log: numbers by name.
                 * @example {
                 *       "found": 3,
                 *       "deleted": 3
                 *     }
                 */
                counts: {
                    [key: string]: number;
                };
            };
            /** @description The newest failure since the last run that finished. A run that failed is repeated half a minute later. */
            last_failure?: {
                /**
                 * Format: date-time
                 * @description Time of the failure.
                 * @example 2026-11-22T17:40:00.000Z
                 */
                at: string;
                /**
                 * @description An error code of this API. The log has the cause.
                 * @example database_unavailable
                 */
                code: string;
            };
            /**
             * Format: date-time
             * @description The next scheduled time. A job without work skips it.
             * @example 2026-11-22T17:40:00.000Z
             */
            next_run_at?: string;
        };
        /** @description Figures of the service. */
        Stats: {
            users: {
                /** @description Verified users; estimated if there are more than 10 000. */
                verified: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description Unverified users; estimated if there are more than 10 000. */
                unverified: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description Unverified users whose time ends before the end of the day in UTC, with those who have expired and wait for the clean-up. */
                ending_today: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
            };
            /** @description The emails and text messages of the last 30 days by state, as in `GET /mail`. */
            mail: {
                /** @description A count and its accuracy. */
                waiting: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description A count and its accuracy. */
                sent: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description A count and its accuracy. */
                dropped: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description A count and its accuracy. */
                bounced: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description A count and its accuracy. */
                dead: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
            };
            /** @description The last 14 days, oldest first and the current one last. */
            days: {
                /**
                 * Format: date
                 * @description The day in UTC.
                 * @example 2026-11-22
                 */
                day: string;
                /** @description Accepted sign-ups, also repeated ones of an address. */
                sign_ups: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description Logins. */
                logins: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
                /** @description Refused logins, once per address, reason and hour. */
                refused_logins: {
                    /** @example 42 */
                    count: number;
                    /**
                     * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                     * @enum {unknown}
                     */
                    accuracy: "exact" | "kept" | "estimated" | "at_least";
                };
            }[];
            /**
             * Format: date-time
             * @description The end of the last hour whose events were counted and kept. Absent before the first run of the job `tally`.
             * @example 2026-11-22T17:00:00.000Z
             */
            kept_until?: string;
            clean_up: components["schemas"]["Job"];
        };
        Setting: {
            /** @example SHOP_NAME */
            name: string;
            /**
             * @description The value in force. Null if there is none, or it is hidden.
             * @example Coffee Shop
             */
            value: string | null;
            /** @description Whether it is set; otherwise the default is in force. */
            is_set: boolean;
            /** @description Whether the value is never shown: secrets, and what may contain one. */
            is_hidden: boolean;
            /**
             * @description The default, in Markdown. Null if there is none.
             * @example Coffee Shop
             */
            default: string | null;
            /**
             * @description The unit of the value.
             * @example minutes
             */
            unit: string | null;
            /**
             * @description What the setting does, in Markdown.
             * @example The name of the shop in mail.
             */
            description: string;
        };
        Finding: {
            /** @enum {string} */
            severity: "ok" | "warning" | "error";
            /**
             * @description What was found and, unless it is `ok`, what to do.
             * @example migrations
             */
            detail: string;
        };
        /** @description The metadata that a service needs to verify access tokens. */
        IssuerMetadata: {
            /**
             * @description Exactly the `iss` of access tokens.
             * @example https://shop.example
             */
            issuer: string;
            /**
             * @description The keys; absent with `ALGORITHM=HS256`.
             * @example https://shop.example/.well-known/jwks.json
             */
            jwks_uri?: string;
            /**
             * @description Takes the password form.
             * @example https://shop.example/api/v1/auth/login
             */
            token_endpoint: string;
            grant_types_supported: "password"[];
            /** @description Empty: there is no authorization endpoint. */
            response_types_supported: "code"[];
            token_endpoint_auth_methods_supported: "none"[];
        };
        Jwk: {
            /**
             * @description The key type.
             * @example OKP
             */
            kty: string;
            /**
             * @description The `kid` of tokens that it signed.
             * @example kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
             */
            kid: string;
            /**
             * @description The only algorithm that it is for.
             * @example EdDSA
             */
            alg: string;
            /** @enum {string} */
            use: "sig";
            /**
             * @description The curve.
             * @example Ed25519
             */
            crv?: string;
            /**
             * @description A coordinate.
             * @example 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
             */
            x?: string;
            /**
             * @description A coordinate.
             * @example x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0
             */
            y?: string;
            /**
             * @description The modulus.
             * @example sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1Wl
             */
            n?: string;
            /**
             * @description The exponent.
             * @example AQAB
             */
            e?: string;
        };
        /** @description The keys, oldest first. */
        JwkSet: {
            keys: components["schemas"]["Jwk"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    logIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
                "application/x-www-form-urlencoded": components["schemas"]["LoginForm"];
            };
        };
        responses: {
            /** @description A pair of tokens. */
            200: {
                headers: {
                    /** @description Only with the refresh token in a cookie: `__Host-coffee_shop_refresh_token`, or `coffee_shop_refresh_token` where `PUBLIC_URL` is http. */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_credentials` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `email_unverified`, `account_disabled`, `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `login_locked`, `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignUp"];
            };
        };
        responses: {
            /** @description The code is being sent. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PendingSignUp"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `email_taken` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_sign_ups`, `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verify: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Verification"];
                "application/x-www-form-urlencoded": components["schemas"]["Verification"];
            };
        };
        responses: {
            /** @description The address is verified. Log in with the password of that sign-up. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        message: "User verified successfully";
                    };
                };
            };
            /** @description `invalid_code`, `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resendCode: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: email
                     * @description Case-insensitive. The local part must be ASCII.
                     * @example ann@example.com
                     */
                    email: string;
                    /**
                     * Format: uuid
                     * @description Resends the email of this sign-up only.
                     * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
                     */
                    sign_up_id?: string;
                };
            };
        };
        responses: {
            /** @description If the address has a pending sign-up, the email is being sent. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example If this address is waiting for verification, the code is on its way. */
                        message: string;
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description The latest refresh token of the session.
                     * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                     */
                    refresh_token?: string;
                    /**
                     * @description Only for pages of this origin and of `CORS_ORIGINS` on the same site: puts the refresh token into a cookie that no script can read, instead of into the response.
                     * @example false
                     */
                    cookie?: boolean;
                };
                "application/x-www-form-urlencoded": {
                    /**
                     * @description The latest refresh token of the session.
                     * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                     */
                    refresh_token: string;
                };
            };
        };
        responses: {
            /** @description A pair of tokens. */
            200: {
                headers: {
                    /** @description Only with the refresh token in a cookie: `__Host-coffee_shop_refresh_token`, or `coffee_shop_refresh_token` where `PUBLIC_URL` is http. */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description The latest refresh token of the session.
                     * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                     */
                    refresh_token?: string;
                };
            };
        };
        responses: {
            /** @description The session was ended. */
            204: {
                headers: {
                    /** @description Only with the refresh token in a cookie: `__Host-coffee_shop_refresh_token`, or `coffee_shop_refresh_token` where `PUBLIC_URL` is http. */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reauthenticate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
                     * @example your current password
                     */
                    current_password: string;
                };
            };
        };
        responses: {
            /** @description The password was confirmed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password`, `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    undoEmailChange: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description The token from the email to the previous address.
                     * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                     */
                    token: string;
                };
            };
        };
        responses: {
            /** @description The address was restored. A link to set a new password is being sent. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example The address was restored and all sessions were ended. Set a new password with the emailed link. */
                        message: string;
                    };
                };
            };
            /** @description `invalid_undo_token`, `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forgotPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: email
                     * @description Case-insensitive. The local part must be ASCII.
                     * @example ann@example.com
                     */
                    email: string;
                };
            };
        };
        responses: {
            /** @description If the address has an account, the email is being sent. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example If this address has an account, a link to set a new password is on its way. */
                        message: string;
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordReset"];
            };
        };
        responses: {
            /** @description The password was set. Log in with it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example The password was set and all sessions were ended. Log in with the new password. */
                        message: string;
                    };
                };
            };
            /** @description `invalid_reset_token`, `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_site_request` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
                     * @example your current password
                     */
                    current_password: string;
                };
            };
        };
        responses: {
            /** @description The account was deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `last_admin`, `email_change_undoable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description At most 200 characters; control, line break and bidi characters are not allowed. null means no name.
                     * @example Ann Lee
                     */
                    full_name?: string | null;
                };
            };
        };
        responses: {
            /** @description A user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All data stored about the caller. */
            200: {
                headers: {
                    /** @description Suggests a file name. */
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DataExport"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description The password was changed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addPhone: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Phone number in E.164 format: `+`, country code and number, 7 to 15 digits.
                     * @example +12025550123
                     */
                    phone: string;
                };
            };
        };
        responses: {
            /** @description The code is being sent, unless a limit was reached. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example If this number can take text messages, the code is on its way. */
                        message: string;
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removePhone: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account has no phone number. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirmPhone: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Six digits.
                     * @example 042137
                     */
                    code: string;
                };
            };
        };
        responses: {
            /** @description A user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `invalid_code`, `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmailChange"];
            };
        };
        responses: {
            /** @description If the address is available, the code is being sent. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example If this address is available, the code is on its way. */
                        message: string;
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `email_change_undoable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirmEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Six digits.
                     * @example 042137
                     */
                    code: string;
                };
            };
        };
        responses: {
            /** @description A user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `invalid_code`, `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The active sessions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All other sessions were ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the session.
                 * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session was ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description Number of rows to skip. To go further, follow `Link`, which uses `after`. */
                skip?: number;
                /** @description Maximum number of entries on a page. */
                limit?: number;
                /**
                 * @description Opaque cursor from the `Link` header of the previous page; valid only with the same `sort` and filters, and without `skip`.
                 * @example eyJ2YWx1ZSI6MTAwLCJpZCI6MTAwfQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                 */
                after?: string;
                /**
                 * @description Case-insensitive search for literal text: three characters or more anywhere in the address or the name, fewer at the beginning of either. On a PostgreSQL without the extension pg_trgm always at the beginning. 422 `too_broad` where many match, but few of them near the beginning of the page: use a longer text or another sort.
                 * @example ann
                 */
                q?: string;
                /** @description Only users with this role. */
                role?: "user" | "admin";
                /** @description Only verified or only unverified users. */
                is_verified?: boolean;
                /** @description The sort key. A leading `-` sorts in descending order. */
                sort?: "id" | "-id" | "email" | "-email" | "created_at" | "-created_at";
                /** @description Adds `X-Total-Count`. `estimate` counts up to 10 000 entries and estimates more from a sample of 10 000 ids: usually within 5 % where a tenth of all or more are selected, roughly where fewer are. `exact` reads all and, from some million entries, may exceed the time limit of a request (503). Not together with `q`. `Link` omits it: the next pages need no count. */
                count?: "exact" | "estimate";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of the list. */
            200: {
                headers: {
                    /** @description URL of the next page, `<…>; rel="next"`; absent on the last page. */
                    Link?: string;
                    /** @description With `count`: the number of entries on all pages together. */
                    "X-Total-Count"?: number;
                    /** @description Only if `X-Total-Count` is an estimate. */
                    "X-Total-Count-Estimated"?: "true";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    inviteUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ann@example.com",
                 *       "full_name": "Ann Lee"
                 *     }
                 */
                "application/json": components["schemas"]["Invitation"];
            };
        };
        responses: {
            /** @description The user was created and is being mailed. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password`, `reauthentication_required`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `email_taken` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
                     * @example your current password
                     */
                    current_password?: string;
                };
            };
        };
        responses: {
            /** @description The user was deleted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        message: "User deleted successfully";
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password`, `reauthentication_required`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `last_admin` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /** @example {} */
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description A user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`, `wrong_password`, `own_role`, `reauthentication_required` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `last_admin`, `user_inactive`, `user_unverified` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The active sessions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserSession"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All sessions were ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `reauthentication_required`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unlockUserLogin: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Logins are not locked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resendInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
                     * @example your current password
                     */
                    current_password?: string;
                };
            };
        };
        responses: {
            /** @description The email is being sent. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password`, `reauthentication_required`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `user_verified`, `user_disabled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
                     * @example your current password
                     */
                    current_password?: string;
                };
            };
        };
        responses: {
            /** @description The invitation was revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password`, `reauthentication_required`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `user_verified` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sendPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The email is being sent. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example A link to set a new password is on its way. */
                        message: string;
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `user_unverified`, `user_disabled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resendUserCode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The emails are being sent. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example The verification code is on its way. */
                        message: string;
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `user_verified`, `user_disabled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUserMail: {
        parameters: {
            query?: {
                /** @description Maximum number of entries on a page. */
                limit?: number;
                /**
                 * @description Opaque cursor from the `Link` header of the previous page; valid only with the same user.
                 * @example eyJjcmVhdGVkQXQiOiIyMDI2LTExLTIyIn0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                 */
                after?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of the list. */
            200: {
                headers: {
                    /** @description URL of the next page, `<…>; rel="next"`; absent on the last page. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readUserAudit: {
        parameters: {
            query?: {
                /** @description Maximum number of entries on a page. */
                limit?: number;
                /**
                 * @description Opaque cursor from the `Link` header of the previous page; valid only with the same user.
                 * @example eyJhdCI6IjIwMjYtMTEtMjJUMTI6MDA6MDAuMDAwWiIsImlkIjoxMDB9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                 */
                after?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The id of the user.
                 * @example 42
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of the list. */
            200: {
                headers: {
                    /** @description URL of the next page, `<…>; rel="next"`; absent on the last page. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listMail: {
        parameters: {
            query?: {
                /** @description Only messages in this state. */
                state?: "waiting" | "sent" | "dropped" | "bounced" | "dead";
                /** @description Only messages of this kind. */
                kind?: "verification" | "verification_again" | "repeat_verification" | "already_registered" | "reminder" | "invitation" | "new_device" | "session_replayed" | "password_reset" | "reset_link" | "password_changed" | "password_changed_left" | "email_code" | "email_changed" | "email_confirmed" | "email_undone" | "admin_changed" | "user_deleted" | "phone_code" | "account_deleted";
                /** @description Maximum number of entries on a page. */
                limit?: number;
                /**
                 * @description Opaque cursor from the `Link` header of the previous page; valid only with the same filters.
                 * @example eyJjcmVhdGVkQXQiOiIyMDI2LTExLTIyIn0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                 */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of the list. */
            200: {
                headers: {
                    /** @description URL of the next page, `<…>; rel="next"`; absent on the last page. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resendMail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the message.
                 * @example 0b6c5f0e-6f0f-4b63-9f4f-3d7f3c1f5a10
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The message was queued for redelivery. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `mail_not_failed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readAudit: {
        parameters: {
            query?: {
                /** @description Maximum number of entries on a page. */
                limit?: number;
                /**
                 * @description Opaque cursor from the `Link` header of the previous page; valid only with the same filters.
                 * @example eyJhdCI6IjIwMjYtMTEtMjJUMTI6MDA6MDAuMDAwWiIsImlkIjoxMDB9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                 */
                after?: string;
                event?: "sign_up.received" | "user.created" | "user.invited" | "invitation.resent" | "invitation.accepted" | "invitation.revoked" | "user.verified" | "user.changed" | "user.role_changed" | "user.disabled" | "user.enabled" | "user.deleted" | "users.read" | "clean_up.requested" | "users.cleaned_up" | "users.clean_up_refused" | "verification.resent" | "login.failed" | "login.unlocked" | "session.opened" | "session.reauthenticated" | "session.ended" | "session.replayed" | "sessions.ended" | "password.changed" | "password.reset_requested" | "password.reset" | "password.refused" | "email.change_requested" | "email.changed" | "email.change_undone" | "phone.changed" | "phone.removed" | "data.exported" | "mail.resent" | "mail.read" | "limit.reached" | "key.rotated";
                /**
                 * @description The id of the actor.
                 * @example 42
                 */
                actor_id?: number;
                /**
                 * @description The id of the affected user.
                 * @example 42
                 */
                subject_id?: number;
                /**
                 * @description Start of the period, inclusive.
                 * @example 2026-11-22T00:00:00Z
                 */
                since?: string;
                /**
                 * @description End of the period, exclusive.
                 * @example 2026-11-22T00:00:00Z
                 */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of the list. */
            200: {
                headers: {
                    /** @description URL of the next page, `<…>; rel="next"`; absent on the last page. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showStats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Figures of the service. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Stats"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every recurring job. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"][];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewCleanUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What a run would do now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The accounts that have expired. */
                        expired: {
                            /** @example 42 */
                            count: number;
                            /**
                             * @description `exact`: counted for this response. `kept`: counted once, up to `kept_until`. `estimated`: from a sample of the table. `at_least`: the count ended at 10 000, or not everything has been counted yet.
                             * @enum {unknown}
                             */
                            accuracy: "exact" | "kept" | "estimated" | "at_least";
                        };
                        /**
                         * @description `refuse`: a run deletes nobody, unless with `force`: these are more than 1 000 accounts and more than half of all users, and the clock may be wrong.
                         * @enum {unknown}
                         */
                        verdict: "delete" | "refuse";
                        /**
                         * @description Only with `refuse`: why the clock is in doubt. `clock_ahead`: it is more than five minutes ahead of the database’s clock. `last_run_long_ago`: the last run was more than two days ago, which a jump of the clock looks like.
                         * @enum {unknown}
                         */
                        because?: "clock_ahead" | "last_run_long_ago";
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    runCleanUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Deletes even if that is most users and the clock is in doubt: check the clock first.
                     * @default false
                     */
                    force?: boolean;
                    /**
                     * @description The password is neither trimmed nor truncated. It is compared in Unicode NFC.
                     * @example your current password
                     */
                    current_password?: string;
                };
            };
        };
        responses: {
            /** @description The run was requested. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong_password`, `reauthentication_required`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout` */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job_busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `validation_failed` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests` */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description The limit that was reached: its name, quota and window in seconds. */
                    "RateLimit-Policy"?: string;
                    /** @description The remaining quota, and the seconds until it increases. */
                    RateLimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `overloaded`, `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every setting, and the findings. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        settings: components["schemas"]["Setting"][];
                        findings: components["schemas"]["Finding"][];
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `authentication_required`, `invalid_token` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process is alive. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "healthy";
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process can serve requests. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {unknown} */
                        status: "ready" | "not_ready";
                        checks: {
                            /**
                             * @description `unavailable` also while the database is read-only.
                             * @enum {unknown}
                             */
                            database: "ok" | "unavailable";
                            /**
                             * @description Whether the database schema is up to date. `newer` if a newer version has migrated it and this process can go on, as during an upgrade: does not affect readiness. `incompatible` if it cannot.
                             * @enum {unknown}
                             */
                            migrations: "ok" | "newer" | "pending" | "incompatible" | "unknown";
                            /** @description Whether the process is shutting down. */
                            draining: boolean;
                            /**
                             * @description Clock skew against the database. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            clock: "ok" | "skewed" | "unknown";
                            /**
                             * @description `delayed` if a message has been due for more than 60 seconds: no worker is running, a transport is down, or `MAIL_MAX_PER_HOUR` was reached. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            mail: "ok" | "delayed" | "unknown";
                            /**
                             * @description Whether rate limits are counted in Redis. While it is `unavailable`, each process counts on its own, with half of each limit. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            redis: "ok" | "unavailable" | "unused";
                            /**
                             * @description `refused` if the latest clean-up stopped because it would have deleted most users, and the clock may be wrong: it is ahead of the database, or the previous run was long ago. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            clean_up: "ok" | "refused" | "unknown";
                            /**
                             * @description `differ` if the other processes use a key that this one does not accept: it refuses their tokens, codes or links, and they refuse its own. The log names the setting. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            keys: "ok" | "differ" | "unknown";
                        };
                    };
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The process cannot serve requests: see `checks`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {unknown} */
                        status: "ready" | "not_ready";
                        checks: {
                            /**
                             * @description `unavailable` also while the database is read-only.
                             * @enum {unknown}
                             */
                            database: "ok" | "unavailable";
                            /**
                             * @description Whether the database schema is up to date. `newer` if a newer version has migrated it and this process can go on, as during an upgrade: does not affect readiness. `incompatible` if it cannot.
                             * @enum {unknown}
                             */
                            migrations: "ok" | "newer" | "pending" | "incompatible" | "unknown";
                            /** @description Whether the process is shutting down. */
                            draining: boolean;
                            /**
                             * @description Clock skew against the database. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            clock: "ok" | "skewed" | "unknown";
                            /**
                             * @description `delayed` if a message has been due for more than 60 seconds: no worker is running, a transport is down, or `MAIL_MAX_PER_HOUR` was reached. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            mail: "ok" | "delayed" | "unknown";
                            /**
                             * @description Whether rate limits are counted in Redis. While it is `unavailable`, each process counts on its own, with half of each limit. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            redis: "ok" | "unavailable" | "unused";
                            /**
                             * @description `refused` if the latest clean-up stopped because it would have deleted most users, and the clock may be wrong: it is ahead of the database, or the previous run was long ago. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            clean_up: "ok" | "refused" | "unknown";
                            /**
                             * @description `differ` if the other processes use a key that this one does not accept: it refuses their tokens, codes or links, and they refuse its own. The log names the setting. Informational: does not affect readiness.
                             * @enum {unknown}
                             */
                            keys: "ok" | "differ" | "unknown";
                        };
                    };
                };
            };
        };
    };
    showIssuer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata that a service needs to verify access tokens. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuerMetadata"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showSigningKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JwkSet"];
                };
            };
            /** @description `malformed_request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long` */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
