import { PageHeader } from '../parts/page-header.tsx'
import { About } from './settings/about.tsx'
import { ApiTokens } from './settings/api-tokens.tsx'
import { Appearance } from './settings/appearance.tsx'
import { CallSettingsCard } from './settings/call-settings.tsx'
import { DigitalOcean } from './settings/digital-ocean.tsx'
import { Images } from './settings/images.tsx'
import { Passkeys } from './settings/passkeys.tsx'
import { People } from './settings/people.tsx'
import { Profile } from './settings/profile.tsx'
import { Registries } from './settings/registries.tsx'
import { Sessions } from './settings/sessions.tsx'
import { Snapshots } from './settings/snapshots.tsx'

/** One's own: how one signs in, tokens, looks; what the account decides about calls; and what this control plane is. */
export const SettingsPage = () => (
  <>
    <PageHeader title="Settings" />
    <div className="flex max-w-4xl flex-col gap-5">
      <Profile />
      <Passkeys />
      <Sessions />
      <ApiTokens />
      <People />
      <DigitalOcean />
      <Registries />
      <Images />
      <Snapshots />
      <CallSettingsCard />
      <Appearance />
      <About />
    </div>
  </>
)
