import '@mantine/core/styles/Table.css'
import '@mantine/core/styles/Combobox.css'
import './console.css'
import { Anchor, Group } from '@mantine/core'
import type { ComponentType } from 'react'
import { Link, Route, Switch, useLocation, useSearch } from 'wouter'
import { CONSOLE_PATHS, type ConsolePath } from '../../../server/api/public/app-paths.ts'
import type { User } from '../../../client/index.ts'
import { Frame, Outcome, Shell } from '../page.tsx'
import { ProofDialog } from '../proof.tsx'
import { T } from '../setup.ts'
import { SignOut } from '../sign-out.tsx'
import { AuditPage } from './audit.tsx'
import { InvitePage } from './invite.tsx'
import { JobsPage } from './jobs.tsx'
import { MailPage } from './mail.tsx'
import { OverviewPage } from './overview.tsx'
import { SettingsPage } from './settings.tsx'
import { C } from './texts.ts'
import { ToldLine } from './told.tsx'
import { UserPage } from './user.tsx'
import { UsersPage } from './users.tsx'

const PAGES: Readonly<Record<ConsolePath, ComponentType>> = {
  '/console': OverviewPage,
  '/console/users': UsersPage,
  '/console/users/new': InvitePage,
  '/console/users/:id': UserPage,
  '/console/audit': AuditPage,
  '/console/mail': MailPage,
  '/console/jobs': JobsPage,
  '/console/settings': SettingsPage,
}

const LINKED = [
  '/console',
  '/console/users',
  '/console/audit',
  '/console/mail',
  '/console/jobs',
  '/console/settings',
] as const satisfies readonly ConsolePath[]

/** `/console` and all below it: what an admin sees and does. */
export function Console({ me }: { me: User }) {
  const [path] = useLocation()
  const address = `${path}?${useSearch()}`
  if (me.role !== 'admin')
    return (
      <Frame>
        <Outcome title={C.forbiddenTitle} text={C.forbidden} to={[['/', T.account]]} />
      </Frame>
    )
  return (
    <Shell className="console" header={<Navigation />}>
      <ToldLine key={address} />
      <Switch>
        {CONSOLE_PATHS.map((page) => (
          <Route key={page} path={page} component={PAGES[page]} />
        ))}
      </Switch>
      <ProofDialog me={me} />
    </Shell>
  )
}

function Navigation() {
  const [location] = useLocation()
  return (
    <Group className="console-header" gap="md">
      <Group component="nav" aria-label={C.label} gap="md">
        {LINKED.map((path) => {
          const isHere = path === '/console' ? location === path : location.startsWith(path)
          return (
            <Link key={path} to={path} asChild>
              <Anchor
                underline={isHere ? 'always' : 'hover'}
                {...(location === path && { 'aria-current': 'page' })}
              >
                {C.pages[path]}
              </Anchor>
            </Link>
          )
        })}
        <Link to="/" asChild>
          <Anchor underline="hover">{T.account}</Anchor>
        </Link>
      </Group>
      <SignOut />
    </Group>
  )
}
