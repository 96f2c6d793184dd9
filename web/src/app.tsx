import type { ComponentType } from 'react'
import { Route, Router, Switch } from 'wouter'
import { APP_PATHS, type AppPath } from '../../server/api/public/app-paths.ts'
import { Frame } from './page.tsx'
import { ForgotPage } from './pages/forgot.tsx'
import { HomePage } from './pages/home.tsx'
import { ResetPage } from './pages/reset.tsx'
import { SignUpPage } from './pages/sign-up.tsx'
import { VerifyPage } from './pages/verify.tsx'
import { SETUP } from './setup.ts'

/** The server answers these paths and no other; a path without its page does not compile. */
const PAGES: Readonly<Record<AppPath, ComponentType>> = {
  '/': HomePage,
  '/sign-up': SignUpPage,
  '/verify': VerifyPage,
  '/forgot': ForgotPage,
  '/reset': ResetPage,
}

export function App() {
  return (
    <Router base={SETUP.base}>
      <Frame>
        <Switch>
          {APP_PATHS.map((path) => (
            <Route key={path} path={path} component={PAGES[path]} />
          ))}
        </Switch>
      </Frame>
    </Router>
  )
}
