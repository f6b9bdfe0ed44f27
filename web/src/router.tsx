import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router'
import type { CallSearch } from './pages/calls/call-filters.tsx'
import { CrashPage } from './pages/crash.page.tsx'
import { NotFoundPage } from './pages/not-found.page.tsx'
import { NoticeStack } from './shell/notice-stack.tsx'
import { Shell } from './shell/shell.tsx'

const root = createRootRoute({
  component: () => (
    <>
      <Outlet />
      <NoticeStack />
    </>
  ),
})

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: ({ to }: Record<string, unknown>): { to?: string } => (text(to) ? { to: String(to) } : {}),
  component: lazyRouteComponent(() => import('./pages/sign-in.page.tsx'), 'SignInPage'),
})

/** Where the link of an invitation leads. */
const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(() => import('./pages/invitation.page.tsx'), 'InvitationPage'),
})

/** Where the authorization endpoint sends browsers, with the client's request in one word. */
const connect = createRoute({
  getParentRoute: () => root,
  path: '/connect/$request',
  component: lazyRouteComponent(() => import('./pages/connect.page.tsx'), 'ConnectPage'),
})

/** Where authorization servers of services behind tools send browsers back to. */
const connected = createRoute({
  getParentRoute: () => root,
  path: '/connected/$server',
  component: lazyRouteComponent(() => import('./pages/connected.page.tsx'), 'ConnectedPage'),
})

/** Where the provider of single sign-on sends browsers back to. */
const signedOn = createRoute({
  getParentRoute: () => root,
  path: '/signed-on',
  component: lazyRouteComponent(() => import('./pages/signed-on.page.tsx'), 'SignedOnPage'),
})

const app = createRoute({ getParentRoute: () => root, id: 'app', component: Shell })

const overview = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview.page.tsx'), 'OverviewPage'),
})

const toolbox = createRoute({
  getParentRoute: () => app,
  path: '/toolboxes/$toolboxId/{-$tab}',
  component: lazyRouteComponent(() => import('./pages/toolbox.page.tsx'), 'ToolboxPage'),
})

const instance = createRoute({
  getParentRoute: () => app,
  path: '/toolboxes/$toolboxId/tools/$instanceId/{-$tab}',
  component: lazyRouteComponent(() => import('./pages/instance.page.tsx'), 'InstancePage'),
})

const catalog = createRoute({
  getParentRoute: () => app,
  path: '/catalog',
  /** `deploy`: the dialog is open for this entry; `toolbox`: on this toolbox. */
  validateSearch: (search: Record<string, unknown>): { deploy?: string; toolbox?: string } => ({
    ...(text(search['deploy']) ? { deploy: String(search['deploy']) } : {}),
    ...(text(search['toolbox']) ? { toolbox: String(search['toolbox']) } : {}),
  }),
  component: lazyRouteComponent(() => import('./pages/catalog.page.tsx'), 'CatalogPage'),
})

const agents = createRoute({
  getParentRoute: () => app,
  path: '/agents',
  component: lazyRouteComponent(() => import('./pages/agents.page.tsx'), 'AgentsPage'),
})

const agent = createRoute({
  getParentRoute: () => app,
  path: '/agents/$agentId/{-$tab}',
  component: lazyRouteComponent(() => import('./pages/agent.page.tsx'), 'AgentPage'),
})

const approvals = createRoute({
  getParentRoute: () => app,
  path: '/approvals',
  component: lazyRouteComponent(() => import('./pages/approvals.page.tsx'), 'ApprovalsPage'),
})

const calls = createRoute({
  getParentRoute: () => app,
  path: '/calls',
  /** What the list is narrowed to. */
  validateSearch: (search: Record<string, unknown>): CallSearch =>
    Object.fromEntries(
      ['agent', 'outcome', 'period', 'text'].flatMap((name) => (text(search[name]) ? [[name, search[name]]] : [])),
    ),
  component: lazyRouteComponent(() => import('./pages/calls.page.tsx'), 'CallsPage'),
})

const call = createRoute({
  getParentRoute: () => app,
  path: '/calls/$callId',
  component: lazyRouteComponent(() => import('./pages/call.page.tsx'), 'CallPage'),
})

const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings.page.tsx'), 'SettingsPage'),
})

/** Whatever else is asked for. Inside the shell, so that the way back is where it always is. */
const elsewhere = createRoute({ getParentRoute: () => app, path: '$', component: NotFoundPage })

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    invitation,
    connect,
    connected,
    signedOn,
    app.addChildren([overview, toolbox, instance, catalog, agents, agent, approvals, calls, call, settings, elsewhere]),
  ]),
  defaultPreload: 'intent',
  defaultPreloadDelay: 60,
  scrollRestoration: true,
  defaultErrorComponent: CrashPage,
  defaultNotFoundComponent: NotFoundPage,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
