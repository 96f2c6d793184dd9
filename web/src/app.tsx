import type { ComponentType } from 'react'
import { Redirect, Route, Router, Switch } from 'wouter'
import { ACCOUNT_PATHS, type AccountPath } from '../../server/api/public/app-paths.ts'
import { Frame } from './page.tsx'
import { ForgotPage } from './pages/forgot.tsx'
import { ResetPage } from './pages/reset.tsx'
import { SignUpPage } from './pages/sign-up.tsx'
import { VerifyPage } from './pages/verify.tsx'
import { SETUP } from './setup.ts'
import { SignedIn } from './signed-in.tsx'

/** The server answers these paths and no other; a path without its page does not compile. */
const PAGES: Readonly<Record<AccountPath, ComponentType>> = {
  '/': () => <SignedIn part="account" />,
  '/sign-up': framed(SignUpPage),
  '/verify': framed(VerifyPage),
  '/forgot': framed(ForgotPage),
  '/reset': framed(ResetPage),
}

export function App() {
  return (
    <Router base={SETUP.base}>
      <Switch>
        {ACCOUNT_PATHS.map((path) => (
          <Route key={path} path={path} component={PAGES[path]} />
        ))}
        <Route path="/console/*?">
          <SignedIn part="console" />
        </Route>
        <Route>
          <Redirect to="/" />
        </Route>
      </Switch>
    </Router>
  )
}

function framed(Page: ComponentType): ComponentType {
  return () => (
    <Frame>
      <Page />
    </Frame>
  )
}
